variable "name" {
  description = "Name of the instance, such as sluice-prod."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,40}$", var.name))
    error_message = "name must be 3 to 41 lower-case letters, digits and dashes, beginning with a letter."
  }
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
  nullable    = false
}

variable "subnet_ids" {
  description = "Private subnets in two zones at least."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must be subnets in two zones at least."
  }
}

variable "kms_key_arn" {
  description = "Key for storage, backups and the administrator's password."
  type        = string
  nullable    = false
}

variable "engine_version" {
  description = "PostgreSQL version, 16 or later. A major upgrade is a decision of its own."
  type        = string
  default     = "17.6"
  nullable    = false

  validation {
    condition     = can(regex("^(16|17|18)(\\.[0-9]+)?$", var.engine_version))
    error_message = "engine_version must be PostgreSQL 16, 17 or 18, such as 17.6."
  }
}

variable "instance_class" {
  description = "Size. Burstable classes are for development."
  type        = string
  nullable    = false

  validation {
    condition = contains([
      "db.t4g.small", "db.t4g.medium", "db.t4g.large",
      "db.m7g.large", "db.m7g.xlarge", "db.m7g.2xlarge", "db.m7g.4xlarge",
      "db.r7g.large", "db.r7g.xlarge", "db.r7g.2xlarge", "db.r7g.4xlarge", "db.r7g.8xlarge",
    ], var.instance_class)
    error_message = "instance_class must be one of db.t4g.{small,medium,large}, db.m7g.{large,xlarge,2xlarge,4xlarge} or db.r7g.{large,xlarge,2xlarge,4xlarge,8xlarge}."
  }
}

variable "database_name" {
  description = "The database that functions use."
  type        = string
  default     = "sluice"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,62}$", var.database_name))
    error_message = "database_name must be lower-case letters, digits and underscores, beginning with a letter."
  }
}

variable "storage_gib" {
  description = "Storage at the beginning, in GiB."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = var.storage_gib >= 20 && var.storage_gib <= 65536
    error_message = "storage_gib must be between 20 and 65536."
  }
}

variable "max_storage_gib" {
  description = "Up to where storage grows by itself, in GiB."
  type        = number
  default     = 500
  nullable    = false

  validation {
    condition     = var.max_storage_gib >= var.storage_gib
    error_message = "max_storage_gib must not be below storage_gib."
  }
}

variable "multi_az" {
  description = "A standby in another zone. Without it a zone's failure stops everything."
  type        = bool
  nullable    = false
}

variable "backup_retention_days" {
  description = "For how many days a backup is kept, 1 to 35."
  type        = number
  nullable    = false

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 35
    error_message = "backup_retention_days must be 1 to 35; 0 would mean no backups."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete the instance, and take a last snapshot."
  type        = bool
  nullable    = false
}

variable "iam_authentication" {
  description = "Let IAM identities in with tokens, beside passwords."
  type        = bool
  default     = false
  nullable    = false
}

variable "log_statements_above_ms" {
  description = "Statements slower than this are logged, in milliseconds; -1 logs none."
  type        = number
  default     = 1000
  nullable    = false

  validation {
    condition     = var.log_statements_above_ms >= -1
    error_message = "log_statements_above_ms must be -1 or more."
  }
}

variable "monitoring_interval_seconds" {
  description = "Seconds between samples of the operating system; 0 takes none."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = contains([0, 1, 5, 10, 15, 30, 60], var.monitoring_interval_seconds)
    error_message = "monitoring_interval_seconds must be 0, 1, 5, 10, 15, 30 or 60."
  }
}
