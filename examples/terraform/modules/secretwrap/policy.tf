data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

# Only so much of a reference is read as the policy needs: its secret, and whether
# that may be absent. `secretwrap check` judges the rest.
locals {
  name = "[A-Za-z0-9/_+=.@!-]+"
  arn  = "arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:${local.name}"
  # Longer schemes, such as awssecretsmanager://, belong to others.
  scheme = "(?:^|[^A-Za-z0-9_+.-])secretsmanager:/"
  # The options of a reference that is all of a text, and of one between braces, where
  # braces in options are not allowed.
  whole   = "[^#]*"
  between = "[^#}]*"
  # The groups are an ARN, which ECS's fields may follow, a name, the options.
  before = "${local.scheme}/(?:(${local.arn})(?::[^?#}\\s]*)?|(${local.name}))(?:\\?("
  after  = "))?(?:[#}\\s]|$)"

  # Of variables that are sensitive, names and references are shown all the same.
  # nonsensitive alone may refuse what is not sensitive.
  environment = { for name, value in nonsensitive(sensitive(var.environment)) : name => nonsensitive(sensitive(value)) }

  literal  = split(" ", replace(lookup(local.environment, "SECRETWRAP_LITERAL", ""), "/[\\s,]+/", " "))
  env_from = split(" ", replace(lookup(local.environment, "SECRETWRAP_ENV_FROM", ""), "/[\\s,]+/", " "))
  # What may hold references, and what an error calls it.
  texts = concat(
    [for name, value in local.environment : { name = name, text = value } if !contains(local.literal, name) && !startswith(name, "SECRETWRAP_")],
    [for text in concat(local.env_from, var.manifest_references) : { name = text, text = "secretsmanager://${trimprefix(text, "secretsmanager://")}" } if text != ""],
  )
  found = [for item in local.texts : regexall(
    "${local.before}${startswith(trimspace(item.text), "secretsmanager://") ? local.whole : local.between}${local.after}", item.text
  )]
  unreadable = [for i, item in local.texts : item.name if length(local.found[i]) != length(regexall("(?i)${local.scheme}", item.text))]

  references = flatten([for found in local.found : [for groups in found : {
    arn      = groups[0] != null ? groups[0] : "arn:${data.aws_partition.current.partition}:secretsmanager:${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}:secret:${groups[1]}"
    complete = groups[0] != null && can(regex("-[A-Za-z0-9]{6}$", groups[0]))
    # Of the characters that AWS appends, few are without a capital letter but the first.
    name     = groups[0] != null && can(regex("-[A-Za-z0-9][a-z0-9]{5}$", groups[0]))
    optional = groups[2] != null && can(regex("(?:^|&)(?:optional(?:&|$)|default=)", trimspace(groups[2])))
  }]])

  # AWS appends six characters to a name, and decides whether six are its own. It may
  # deny access to an absent secret that is not allowed by its mere name.
  resources = sort(distinct(flatten([for reference in local.references : [
    reference.complete ? [reference.arn] : [],
    !reference.complete || reference.name ? ["${reference.arn}-??????"] : [],
    reference.optional ? [reference.arn] : [],
  ]])))
}

data "aws_iam_policy_document" "secrets" {
  dynamic "statement" {
    for_each = length(local.resources) > 0 ? [local.resources] : []
    content {
      actions   = ["secretsmanager:GetSecretValue"]
      resources = statement.value
    }
  }

  # The keys are used by Secrets Manager only, on behalf of the function.
  dynamic "statement" {
    for_each = length(var.kms_key_arns) > 0 ? [var.kms_key_arns] : []
    content {
      actions   = ["kms:Decrypt"]
      resources = statement.value

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = distinct([for arn in statement.value : "secretsmanager.${split(":", arn)[3]}.amazonaws.com"])
      }
    }
  }

  lifecycle {
    precondition {
      condition     = length(local.unreadable) == 0
      error_message = "No secret can be read from: ${join(", ", local.unreadable)}. Write secretsmanager://NAME#PATH; secretwrap check tells what is wrong."
    }
  }
}
