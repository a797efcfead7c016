output "names" {
  description = "Name of each bucket."
  value       = { for key, bucket in aws_s3_bucket.this : key => bucket.id }
}

output "arns" {
  description = "ARN of each bucket."
  value       = { for key, bucket in aws_s3_bucket.this : key => bucket.arn }
}
