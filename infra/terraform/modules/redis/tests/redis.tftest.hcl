variables {
  name        = "sluice-test"
  vpc_id      = "vpc-1"
  subnet_ids  = ["subnet-1", "subnet-2"]
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1"
  node_type   = "cache.m7g.large"
  nodes       = 2
}

run "safe" {
  command = plan

  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_mode == "required" && aws_elasticache_replication_group.this.multi_az_enabled
    error_message = "TLS only, and a zone may fail"
  }

  assert {
    condition     = aws_elasticache_user.default.access_string == "off -@all"
    error_message = "the default user can do nothing"
  }
}

run "one_node" {
  command = plan

  variables {
    node_type = "cache.t4g.micro"
    nodes     = 1
  }

  assert {
    condition     = !aws_elasticache_replication_group.this.automatic_failover_enabled
    error_message = "one node has nobody to hand over to"
  }
}

run "refuses_an_unknown_type" {
  command = plan

  variables {
    node_type = "cache.m6g.huge"
  }

  expect_failures = [var.node_type]
}

run "refuses_seven_nodes" {
  command = plan

  variables {
    nodes = 7
  }

  expect_failures = [var.nodes]
}
