# What tries the example's module, beside that example: references of all forms, in a
# function on an OS-only runtime, and malformed ones.

module "all_forms" {
  source = "./modules/secretwrap"

  dist                = "${path.root}/../../dist"
  architecture        = "arm64"
  os_only             = true
  layer_name          = "all-forms"
  environment         = jsondecode(file("${path.root}/references.json"))
  manifest_references = ["manifest#a"]
  kms_key_arns        = ["arn:aws:kms:eu-west-1:123456789012:key/one"]
}

variable "malformed" {
  type      = map(string)
  default   = {}
  sensitive = true
}

variable "keys" {
  type    = list(string)
  default = []
}

module "malformed" {
  source = "./modules/secretwrap"

  layers       = module.all_forms.layers
  environment  = var.malformed
  kms_key_arns = var.keys
}

module "no_secrets" {
  source = "./modules/secretwrap"

  layers      = module.all_forms.layers
  environment = { TEXT = sensitive("text") }
}

output "layers" {
  value = concat(module.all_forms.layers, module.no_secrets.layers)
}

output "no_policy" {
  value = module.no_secrets.policy == null
}

output "all_forms" {
  value = module.all_forms
}
