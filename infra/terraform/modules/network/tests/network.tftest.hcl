variables {
  name  = "sluice-test"
  cidr  = "10.40.0.0/16"
  zones = ["eu-west-1a", "eu-west-1b"]
}

run "subnets_in_every_zone" {
  command = plan

  assert {
    condition     = length(aws_subnet.private) == 2
    error_message = "each zone has a private subnet"
  }

  assert {
    condition     = aws_subnet.private["eu-west-1b"].cidr_block == "10.40.32.0/19"
    error_message = "a private subnet is an eighth of the VPC"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 2 && length(aws_route.nat) == 2
    error_message = "by default each zone leaves through its own gateway"
  }

  assert {
    condition     = length(aws_flow_log.this) == 0
    error_message = "flow logs are an option"
  }
}

run "single_nat_gateway" {
  command = plan

  variables {
    nat = "single"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 2
    error_message = "both zones leave through one gateway"
  }
}

run "no_way_out" {
  command = plan

  variables {
    nat = "none"
  }

  assert {
    condition     = length(aws_subnet.public) == 0 && length(aws_internet_gateway.this) == 0 && length(aws_route.nat) == 0
    error_message = "without NAT nothing is public"
  }
}

run "flow_logs" {
  command = plan

  variables {
    flow_logs = { enabled = true, retention_days = 7 }
  }

  assert {
    condition     = length(aws_flow_log.this) == 1 && aws_cloudwatch_log_group.flow[0].retention_in_days == 7
    error_message = "flow logs are kept as long as was asked"
  }
}

run "refuses_a_public_range" {
  command = plan

  variables {
    cidr = "0.0.0.0/0"
  }

  expect_failures = [var.cidr]
}

run "refuses_one_zone" {
  command = plan

  variables {
    zones = ["eu-west-1a"]
  }

  expect_failures = [var.zones]
}

run "refuses_another_nat" {
  command = plan

  variables {
    nat = "two"
  }

  expect_failures = [var.nat]
}

run "refuses_logs_for_no_days" {
  command = plan

  variables {
    flow_logs = { enabled = true, retention_days = 0 }
  }

  expect_failures = [var.flow_logs]
}
