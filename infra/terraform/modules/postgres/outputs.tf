output "endpoint" {
  description = "Host name of the primary."
  value       = aws_db_instance.this.address
}

output "port" {
  description = "Its port."
  value       = aws_db_instance.this.port
}

output "database_name" {
  description = "The database that functions use."
  value       = aws_db_instance.this.db_name
}

output "arn" {
  description = "The instance."
  value       = aws_db_instance.this.arn
}

output "resource_id" {
  description = "The instance in the ARNs of IAM authentication."
  value       = aws_db_instance.this.resource_id
}

output "security_group_id" {
  description = "Its security group, without a rule of its own."
  value       = aws_security_group.this.id
}

output "administrator_secret_arn" {
  description = "Secret that RDS keeps for the administrator."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}
