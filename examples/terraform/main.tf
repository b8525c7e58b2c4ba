terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "prefix" {
  description = "What the names of the secrets begin with. They are not made here, since their values would lie in Terraform's state."
  type        = string
  default     = "secretwrap-example"
}

locals {
  database = "secretsmanager://${var.prefix}/db"
}

module "secretwrap" {
  source = "./modules/secretwrap"

  dist = "${path.root}/../../dist"
  environment = {
    DB_PASSWORD      = "${local.database}#password"
    DATABASE_URL     = "postgres://{{${local.database}#username}}:{{${local.database}?encode=url#password}}@{{${local.database}#host}}:{{${local.database}#port}}/app"
    SIGNING_KEY_PATH = "secretsmanager://${var.prefix}/signing-key?file=signing.key"
  }
}

resource "aws_lambda_function" "function" {
  function_name    = "secretwrap-example"
  role             = aws_iam_role.function.arn
  runtime          = "python3.13"
  architectures    = ["x86_64"]
  handler          = "app.handler"
  filename         = "${path.root}/function.zip"
  source_code_hash = filebase64sha256("${path.root}/function.zip")
  memory_size      = 256
  timeout          = 10
  layers           = module.secretwrap.layers

  environment {
    variables = module.secretwrap.environment
  }

  # What the role may do must hold before the function starts, and the log group, which
  # Lambda would make itself, would stay.
  depends_on = [aws_iam_role_policy.secrets, aws_iam_role_policy_attachment.logs, aws_cloudwatch_log_group.function]
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/secretwrap-example"
  retention_in_days = 14
}

resource "aws_iam_role" "function" {
  name               = "secretwrap-example"
  assume_role_policy = data.aws_iam_policy_document.lambda.json
}

data "aws_iam_policy_document" "lambda" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "secrets" {
  name   = "secrets"
  role   = aws_iam_role.function.id
  policy = module.secretwrap.policy
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.function.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

data "aws_partition" "current" {}

output "function_name" {
  description = "Name to invoke the function by."
  value       = aws_lambda_function.function.function_name
}
