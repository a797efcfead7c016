# What makes this environment cheap. The other files are those of prod, word for word.
locals {
  settings = {
    environment = "dev"

    # One NAT gateway: a zone's failure cuts functions off from model providers.
    nat                 = "single"
    interface_endpoints = []
    flow_logs           = { enabled = false, retention_days = 7 }

    postgres = {
      instance_class              = "db.t4g.small"
      multi_az                    = false
      storage_gib                 = 20
      max_storage_gib             = 100
      backup_retention_days       = 1
      monitoring_interval_seconds = 0
    }
    redis = {
      node_type = "cache.t4g.micro"
      nodes     = 1
    }
    kafka = {
      broker_class       = "kafka.t3.small"
      storage_gib        = 20
      log_retention_days = 7
    }

    # `terraform destroy` removes everything.
    deletion_protection = false
  }
}
