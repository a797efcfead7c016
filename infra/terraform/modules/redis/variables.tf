variable "name" {
  description = "Name of the replication group, such as sluice-prod."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,30}$", var.name))
    error_message = "name must be 3 to 31 lower-case letters, digits and dashes, beginning with a letter."
  }
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
  nullable    = false
}

variable "subnet_ids" {
  description = "Private subnets."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must be subnets in two zones at least."
  }
}

variable "kms_key_arn" {
  description = "Key for what is on disk."
  type        = string
  nullable    = false
}

variable "engine_version" {
  description = "Valkey version."
  type        = string
  default     = "8.1"
  nullable    = false

  validation {
    condition     = can(regex("^8\\.[0-9]+$", var.engine_version))
    error_message = "engine_version must be Valkey 8, such as 8.1."
  }
}

variable "node_type" {
  description = "Size of a node."
  type        = string
  nullable    = false

  validation {
    condition = contains([
      "cache.t4g.micro", "cache.t4g.small", "cache.t4g.medium",
      "cache.m7g.large", "cache.m7g.xlarge", "cache.m7g.2xlarge",
      "cache.r7g.large", "cache.r7g.xlarge", "cache.r7g.2xlarge",
    ], var.node_type)
    error_message = "node_type must be one of cache.t4g.{micro,small,medium}, cache.m7g.{large,xlarge,2xlarge} or cache.r7g.{large,xlarge,2xlarge}."
  }
}

variable "nodes" {
  description = "A primary and its replicas, 1 to 6. With two or more a zone may fail."
  type        = number
  nullable    = false

  validation {
    condition     = var.nodes >= 1 && var.nodes <= 6
    error_message = "nodes must be 1 to 6."
  }
}
