variable "dist" {
  description = "Directory of the layers that `make layer` builds."
  type        = string
  default     = "dist"
}

# A list, since whether there is one must be known before the layer is made.
variable "layers" {
  description = "The layer as the module of another function returns it, or the ARN of a version that is there, instead of a layer of its own."
  type        = list(string)
  default     = []
}

variable "architecture" {
  description = "Architecture of the function: x86_64 or arm64."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "The architecture is x86_64 or arm64."
  }
}

variable "os_only" {
  description = "Whether the function is on an OS-only runtime, as Go and Rust are: its handler names the program, which is not called bootstrap."
  type        = bool
  default     = false
}

variable "layer_name" {
  description = "Name of the layer."
  type        = string
  default     = "secretwrap"
}

variable "environment" {
  description = "The function's variables, with references where secrets are meant."
  type        = map(string)
}

variable "manifest_references" {
  description = "References that stand in the function's secretwrap.yaml, which the module does not read. The scheme may be left out."
  type        = list(string)
  default     = []
}

variable "kms_key_arns" {
  description = "ARNs of the KMS keys of secrets that have keys of their own. The ARN of an alias allows nothing in a policy."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.kms_key_arns : can(regex("^arn:[^:]+:kms:[^:]+:[^:]+:key/", arn))])
    error_message = "A key's ARN has :key/ in it. For an alias take target_key_arn of the data source aws_kms_alias."
  }
}
