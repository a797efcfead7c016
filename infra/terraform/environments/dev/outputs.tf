# What `npx sluice values from-terraform` reads. No value of a secret.

output "region" {
  description = "The region."
  value       = var.region
}

output "network" {
  description = "Where the cluster lives."
  value = {
    vpc_id             = module.network.vpc_id
    private_subnet_ids = module.network.private_subnet_ids
    public_subnet_ids  = module.network.public_subnet_ids
  }
}

output "postgres" {
  description = "The database."
  value = {
    host                     = module.postgres.endpoint
    port                     = module.postgres.port
    database                 = module.postgres.database_name
    administrator_secret_arn = module.postgres.administrator_secret_arn
  }
}

output "redis" {
  description = "Redis over TLS."
  value = {
    host      = module.redis.endpoint
    port      = module.redis.port
    user_name = module.redis.user_name
  }
}

output "kafka" {
  description = "Kafka over TLS with SCRAM, and its topics."
  value = {
    bootstrap_servers = module.kafka.bootstrap_servers
    topics            = module.kafka.topics
  }
}

output "buckets" {
  description = "Name of each bucket."
  value       = module.buckets.names
}

output "secrets" {
  description = "Name of each secret, by what it is for."
  value       = module.secrets.names
}

output "functions" {
  description = "Role and security groups of each ServiceAccount: of functions, of sluice-migrate and sluice-sources."
  value = {
    for name, arn in module.access.role_arns : name => {
      role_arn           = arn
      security_group_ids = module.access.security_group_ids[name]
    }
  }
}
