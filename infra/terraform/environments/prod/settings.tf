# What makes this environment safe. The other files are those of dev, word for word.
locals {
  settings = {
    environment = "prod"

    nat                 = "per_zone"
    interface_endpoints = ["ecr.api", "ecr.dkr", "kms", "logs", "secretsmanager", "sts"]
    flow_logs           = { enabled = true, retention_days = 90 }

    postgres = {
      instance_class              = "db.r7g.large"
      multi_az                    = true
      storage_gib                 = 100
      max_storage_gib             = 1000
      backup_retention_days       = 14
      monitoring_interval_seconds = 15
    }
    redis = {
      node_type = "cache.m7g.large"
      nodes     = 2
    }
    kafka = {
      broker_class       = "kafka.m7g.large"
      storage_gib        = 250
      log_retention_days = 90
    }

    # Nothing with data in it can be destroyed by accident.
    deletion_protection = true
  }
}
