variable "name" {
  description = "Prefix of every name, such as sluice-prod."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,24}$", var.name))
    error_message = "name must be 3 to 25 lower-case letters, digits and dashes, beginning with a letter."
  }
}

variable "cidr" {
  description = "Private address range of the VPC, /16 to /20."
  type        = string
  nullable    = false

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && can(regex("^(10\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.|192\\.168\\.)", var.cidr)) && can(regex("/(1[6-9]|20)$", var.cidr))
    error_message = "cidr must be a private IPv4 range from /16 to /20, such as 10.40.0.0/16."
  }
}

variable "zones" {
  description = "Availability zones: two to four, such as eu-west-1a."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 4 && length(distinct(var.zones)) == length(var.zones)
    error_message = "zones must be two to four different availability zones."
  }
}

variable "nat" {
  description = "Way out to the internet: none, single (cheap; one zone's failure cuts all off) or per_zone."
  type        = string
  default     = "per_zone"
  nullable    = false

  validation {
    condition     = contains(["none", "single", "per_zone"], var.nat)
    error_message = "nat must be none, single or per_zone."
  }
}

variable "interface_endpoints" {
  description = "AWS services reached without the internet. Each costs by the hour and zone."
  type        = set(string)
  default     = ["ecr.api", "ecr.dkr", "kms", "logs", "secretsmanager", "sts"]
  nullable    = false
}

variable "flow_logs" {
  description = "Records of every connection, and for how many days they are kept."
  type = object({
    enabled        = bool
    retention_days = number
  })
  default = {
    enabled        = false
    retention_days = 30
  }
  nullable = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 180, 365, 400, 731, 1096, 1827], var.flow_logs.retention_days)
    error_message = "flow_logs.retention_days must be a number of days that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 180, 365, 400, 731, 1096 or 1827."
  }
}

variable "kms_key_arn" {
  description = "Key for the flow logs. null: CloudWatch's own."
  type        = string
  default     = null
}
