output "bootstrap_servers" {
  description = "Brokers for clients with SCRAM over TLS, host:port separated by commas."
  value       = aws_msk_cluster.this.bootstrap_brokers_sasl_scram
}

output "arn" {
  description = "The cluster."
  value       = aws_msk_cluster.this.arn
}

output "security_group_id" {
  description = "Its security group."
  value       = aws_security_group.this.id
}

output "topics" {
  description = "What `npx sluice topics` makes."
  value       = var.topics
}
