# What a function needs for its secrets: the layer, the variables, and a policy for
# the secrets that the variables refer to.

locals {
  zip = "${var.dist}/secretwrap-layer-${var.os_only ? "os-only-" : ""}${var.architecture}.zip"
}

resource "aws_lambda_layer_version" "secretwrap" {
  count = length(var.layers) == 0 ? 1 : 0

  layer_name               = var.layer_name
  filename                 = local.zip
  source_code_hash         = filebase64sha256(local.zip)
  compatible_architectures = [var.architecture]
}
