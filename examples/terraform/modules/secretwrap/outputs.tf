output "layers" {
  description = "The layer's ARN, as the function's `layers` takes it."
  value       = concat(var.layers, aws_lambda_layer_version.secretwrap[*].arn)
}

output "environment" {
  description = "The function's variables, with the one that starts secretwrap. OS-only runtimes need none."
  value       = merge(var.environment, var.os_only ? {} : { AWS_LAMBDA_EXEC_WRAPPER = "/opt/secretwrap" })
}

output "policy" {
  description = "What the function's role must allow, as JSON. It is null where that is nothing."
  value       = length(local.resources) + length(var.kms_key_arns) > 0 ? data.aws_iam_policy_document.secrets.json : null
}
