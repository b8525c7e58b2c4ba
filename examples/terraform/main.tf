terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "secret_name" {
  description = "Name of the secret. It is not made here, since its value would lie in Terraform's state."
  type        = string
  default     = "secretwrap-example/db"
}

locals {
  secret = "secretsmanager://${var.secret_name}"
}

module "secretwrap" {
  source = "./modules/secretwrap"

  dist = "${path.root}/../../dist"
  environment = {
    DB_PASSWORD  = "${local.secret}#password"
    DATABASE_URL = "postgres://{{${local.secret}#username}}:{{${local.secret}?encode=url#password}}@{{${local.secret}#host}}:{{${local.secret}#port}}/app"
    DB_FILE      = "${local.secret}?file=db.json"
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
