variable "name" {
  description = "Name of the cluster, such as sluice-prod."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,60}$", var.name))
    error_message = "name must be 3 to 61 lower-case letters, digits and dashes, beginning with a letter."
  }
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
  nullable    = false
}

variable "subnet_ids" {
  description = "One private subnet in each of two or three zones."
  type        = list(string)
  nullable    = false

  validation {
    condition     = contains([2, 3], length(var.subnet_ids))
    error_message = "subnet_ids must be two or three subnets in different zones."
  }
}

variable "kms_key_arn" {
  description = "Key for records and logs."
  type        = string
  nullable    = false
}

variable "kafka_version" {
  description = "Version of Kafka in MSK."
  type        = string
  default     = "3.9.x.kraft"
  nullable    = false

  validation {
    condition     = can(regex("^(3\\.[7-9]|4\\.[0-9]+)\\.x(\\.kraft)?$", var.kafka_version))
    error_message = "kafka_version must be one that MSK has, from 3.7.x, such as 3.9.x.kraft."
  }
}

variable "broker_class" {
  description = "Size of a broker."
  type        = string
  nullable    = false

  validation {
    condition = contains([
      "kafka.t3.small", "kafka.m7g.large", "kafka.m7g.xlarge", "kafka.m7g.2xlarge", "kafka.m7g.4xlarge",
      "kafka.m5.large", "kafka.m5.xlarge", "kafka.m5.2xlarge",
    ], var.broker_class)
    error_message = "broker_class must be kafka.t3.small, kafka.m7g.{large,xlarge,2xlarge,4xlarge} or kafka.m5.{large,xlarge,2xlarge}."
  }
}

variable "brokers_per_zone" {
  description = "Brokers in each zone. Three copies of each record need three brokers: with two zones, two in each."
  type        = number
  nullable    = false

  validation {
    condition     = var.brokers_per_zone >= 1 && var.brokers_per_zone <= 10 && var.brokers_per_zone * length(var.subnet_ids) >= 3
    error_message = "brokers_per_zone must be 1 to 10 and make three brokers at least, since every record has three copies."
  }
}

variable "storage_gib" {
  description = "Storage of each broker, in GiB. It grows only."
  type        = number
  nullable    = false

  validation {
    condition     = var.storage_gib >= 10 && var.storage_gib <= 16384
    error_message = "storage_gib must be between 10 and 16384."
  }
}

variable "default_retention_hours" {
  description = "How long a topic keeps records that says nothing itself, in hours."
  type        = number
  default     = 168
  nullable    = false

  validation {
    condition     = var.default_retention_hours >= 24
    error_message = "default_retention_hours must be 24 at least: an outage must fit in."
  }
}

variable "log_retention_days" {
  description = "For how many days the brokers' own logs are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 180, 365, 400, 731, 1096, 1827], var.log_retention_days)
    error_message = "log_retention_days must be a number of days that CloudWatch knows, such as 30."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete topics."
  type        = bool
  nullable    = false
}

variable "iam_authentication" {
  description = "Let IAM identities in beside SCRAM, for people and tools."
  type        = bool
  default     = true
  nullable    = false
}

variable "scram_secret_arns" {
  description = "Secrets with name and password of clients. Their names begin with AmazonMSK_ and their key is not AWS's own."
  type        = list(string)
  nullable    = false
}

variable "topics" {
  description = "Topics by name, as `sluice render` writes them."
  type = map(object({
    partitions   = number
    retention_ms = number
    compacted    = bool
  }))
  nullable = false

  validation {
    condition     = alltrue([for topic in values(var.topics) : topic.partitions >= 1 && topic.partitions <= 1000])
    error_message = "A topic must have 1 to 1000 partitions."
  }

  validation {
    condition     = alltrue([for topic in values(var.topics) : topic.retention_ms == -1 || topic.retention_ms >= 3600000])
    error_message = "A topic must keep its records for an hour at least (3600000 ms), or for ever (-1)."
  }
}
