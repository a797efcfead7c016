variable "region" {
  description = "AWS region, such as eu-west-1."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be an AWS region, such as eu-west-1."
  }
}

variable "zones" {
  description = "Two or three availability zones of the region."
  type        = list(string)
  nullable    = false

  validation {
    condition     = contains([2, 3], length(distinct(var.zones))) && alltrue([for zone in var.zones : startswith(zone, var.region)])
    error_message = "zones must be two or three different zones of the region, such as eu-west-1a."
  }
}

variable "cidr" {
  description = "Private address range of the VPC, /16 to /20, that overlaps with no other network of yours."
  type        = string
  nullable    = false
}

variable "cluster" {
  description = "The Kubernetes cluster that runs the functions. It lives in this VPC and is not made here."
  type = object({
    oidc_provider_arn      = string
    oidc_issuer            = string
    node_security_group_id = string
    namespace              = optional(string, "sluice")
  })
  nullable = false
}

variable "initial_secret_values" {
  description = "First values of secrets, each JSON, by postgres, redis, kafka, model, memory. Never stored: TF_VAR_initial_secret_values for the one apply that writes them."
  type        = map(string)
  default     = {}
  nullable    = false
  sensitive   = true
  ephemeral   = true
}

variable "initial_secret_versions" {
  description = "Which of initial_secret_values are written: a number by key, raised when the value is to be written again."
  type        = map(number)
  default     = {}
  nullable    = false
}

variable "rotation_lambda_arns" {
  description = "Lambda functions that rotate secrets, by key."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "tags" {
  description = "Tags of everything, beside application and environment."
  type        = map(string)
  default     = {}
  nullable    = false
}
