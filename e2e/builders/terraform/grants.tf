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
  type    = map(string)
  default = {}
}

module "malformed" {
  source = "./modules/secretwrap"

  dist        = "${path.root}/../../dist"
  layer_name  = "malformed"
  environment = var.malformed
}

output "all_forms" {
  value = module.all_forms
}
