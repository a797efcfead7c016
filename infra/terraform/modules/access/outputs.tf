output "role_arns" {
  description = "Role of each function, for the annotation of its ServiceAccount."
  value       = { for name, role in aws_iam_role.function : name => role.arn }
}

output "security_group_ids" {
  description = "Security groups that the pods of each function wear."
  value       = { for name, group in aws_security_group.function : name => [aws_security_group.functions.id, group.id] }
}
