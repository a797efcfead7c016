output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "vpc_cidr" {
  description = "Its address range."
  value       = aws_vpc.this.cidr_block
}

output "private_subnet_ids" {
  description = "One subnet in each zone, for functions and their dependencies."
  value       = [for zone in var.zones : aws_subnet.private[zone].id]
}

output "public_subnet_ids" {
  description = "One in each zone for load balancers; empty without a NAT gateway."
  value       = local.has_nat ? [for zone in var.zones : aws_subnet.public[zone].id] : []
}

output "endpoint_security_group_id" {
  description = "Group of the interface endpoints."
  value       = aws_security_group.endpoints.id
}
