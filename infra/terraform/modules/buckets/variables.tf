variable "name" {
  description = "Prefix of the buckets, such as sluice-prod."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,24}$", var.name))
    error_message = "name must be 3 to 25 lower-case letters, digits and dashes, beginning with a letter."
  }
}

variable "account_id" {
  description = "The account, which makes the names of buckets unique."
  type        = string
  nullable    = false
}

variable "kms_key_arn" {
  description = "Key for objects."
  type        = string
  nullable    = false
}

variable "buckets" {
  description = "Buckets by name: for how many days objects are kept (null: for ever), and old versions of them."
  type = map(object({
    objects_days      = optional(number)
    old_versions_days = number
  }))
  default = {
    attachments = { old_versions_days = 30 }
    exports     = { objects_days = 30, old_versions_days = 7 }
    recordings  = { objects_days = 90, old_versions_days = 30 }
  }
  nullable = false

  validation {
    condition     = alltrue([for bucket in values(var.buckets) : bucket.old_versions_days >= 1 && coalesce(bucket.objects_days, 1) >= 1])
    error_message = "objects_days and old_versions_days must be 1 at least."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete a bucket that is not empty."
  type        = bool
  nullable    = false
}
