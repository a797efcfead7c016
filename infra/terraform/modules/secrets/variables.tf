variable "name" {
  description = "Prefix of the secrets, such as sluice-prod."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,24}$", var.name))
    error_message = "name must be 3 to 25 lower-case letters, digits and dashes, beginning with a letter."
  }
}

variable "account_id" {
  description = "The account whose roles may read."
  type        = string
  nullable    = false
}

variable "kms_key_arn" {
  description = "Key for the values. Not AWS's own, because MSK refuses that for SCRAM."
  type        = string
  nullable    = false
}

variable "secrets" {
  description = "Secrets by what needs them. initial_version above 0 writes initial_values once for each number; a rotation needs the function that does it; services of AWS are those that read the secret themselves."
  type = map(object({
    description         = string
    name_prefix         = optional(string, "")
    initial_version     = optional(number, 0)
    rotation_lambda_arn = optional(string)
    rotation_days       = optional(number, 30)
    services            = optional(list(string), [])
  }))
  nullable = false

  validation {
    condition     = alltrue([for secret in values(var.secrets) : secret.rotation_days >= 1 && secret.rotation_days <= 90])
    error_message = "rotation_days must be 1 to 90."
  }

  validation {
    condition     = alltrue([for secret in values(var.secrets) : alltrue([for service in secret.services : endswith(service, ".amazonaws.com")])])
    error_message = "services must be services of AWS, such as kafka.amazonaws.com."
  }

  validation {
    condition     = alltrue([for secret in values(var.secrets) : secret.rotation_lambda_arn == null || can(regex("^arn:aws[a-z-]*:lambda:", secret.rotation_lambda_arn))])
    error_message = "rotation_lambda_arn must be the ARN of a Lambda function."
  }
}

variable "initial_values" {
  description = "First values, by the keys of secrets. Never stored: give them in TF_VAR_initial_values for the one apply that writes them."
  type        = map(string)
  default     = {}
  nullable    = false
  sensitive   = true
  ephemeral   = true
}

variable "deletion_protection" {
  description = "Keep a deleted secret for 30 days."
  type        = bool
  nullable    = false
}
