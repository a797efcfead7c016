variable "name" {
  description = "Prefix of roles and groups, such as sluice-prod."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,24}$", var.name))
    error_message = "name must be 3 to 25 lower-case letters, digits and dashes, beginning with a letter."
  }
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
  nullable    = false
}

variable "vpc_cidr" {
  description = "Its address range."
  type        = string
  nullable    = false

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && !startswith(var.vpc_cidr, "0.0.0.0")
    error_message = "vpc_cidr must be the range of the VPC, such as 10.40.0.0/16."
  }
}

variable "cluster" {
  description = "The Kubernetes cluster that runs the functions: its OIDC provider, the security group of its nodes, and the namespace."
  type = object({
    oidc_provider_arn      = string
    oidc_issuer            = string
    node_security_group_id = string
    namespace              = string
  })
  nullable = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/", var.cluster.oidc_provider_arn))
    error_message = "cluster.oidc_provider_arn must be the ARN of an IAM OIDC provider."
  }

  validation {
    condition     = can(regex("^(https://)?[a-z0-9.-]+/id/[A-Z0-9]+$", var.cluster.oidc_issuer))
    error_message = "cluster.oidc_issuer must be the issuer of an EKS cluster, such as https://oidc.eks.eu-west-1.amazonaws.com/id/ABCDEF."
  }
}

variable "functions" {
  description = "What each function needs, as `sluice render` writes it. A job that runs beside them counts as one."
  type = map(object({
    needs    = list(string)
    uses     = optional(list(string), [])
    produces = optional(list(string), [])
  }))
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.functions) : can(regex("^[a-z][a-z0-9-]{0,37}$", name))])
    error_message = "The name of a function must be at most 38 lower-case letters, digits and dashes, or the name of its role would be too long."
  }
}

variable "dependencies" {
  description = "Security group and port of each dependency, by the need that it answers."
  type = map(object({
    security_group_id = string
    port              = number
  }))
  nullable = false
}

variable "secret_arns" {
  description = "Secret of each dependency, by the need that it answers."
  type        = map(string)
  nullable    = false
}

variable "bucket_arns" {
  description = "Buckets, for functions that need one."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "kms_key_arn" {
  description = "Key of secrets and buckets."
  type        = string
  nullable    = false
}

variable "egress_ports" {
  description = "TCP ports that functions may reach anywhere."
  type        = set(number)
  default     = [443]
  nullable    = false

  validation {
    condition     = alltrue([for port in var.egress_ports : port >= 1 && port <= 65535])
    error_message = "egress_ports must be ports, 1 to 65535."
  }
}
