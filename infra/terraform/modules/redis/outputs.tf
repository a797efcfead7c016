output "endpoint" {
  description = "Host name of the primary."
  value       = aws_elasticache_replication_group.this.primary_endpoint_address
}

output "port" {
  description = "Its port. TLS only: rediss://."
  value       = aws_elasticache_replication_group.this.port
}

output "arn" {
  description = "The replication group."
  value       = aws_elasticache_replication_group.this.arn
}

output "user_name" {
  description = "The user of the functions."
  value       = aws_elasticache_user.functions.user_name
}

output "user_arn" {
  description = "The same, for whoever rotates its password."
  value       = aws_elasticache_user.functions.arn
}

output "security_group_id" {
  description = "Its security group, without a rule of its own."
  value       = aws_security_group.this.id
}
