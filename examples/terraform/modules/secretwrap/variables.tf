variable "dist" {
  description = "Directory of the layers that `make layer` builds."
  type        = string
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
  description = "ARNs of the KMS keys of secrets that have keys of their own."
  type        = list(string)
  default     = []
}
