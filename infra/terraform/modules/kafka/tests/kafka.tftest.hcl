variables {
  name                = "sluice-test"
  vpc_id              = "vpc-1"
  subnet_ids          = ["subnet-1", "subnet-2", "subnet-3"]
  kms_key_arn         = "arn:aws:kms:eu-west-1:123456789012:key/1"
  broker_class        = "kafka.m7g.large"
  brokers_per_zone    = 1
  storage_gib         = 100
  deletion_protection = true
  scram_secret_arns   = ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:AmazonMSK_sluice"]
  topics = {
    "conversation.inbound" = { partitions = 8, retention_ms = 604800000, compacted = false }
  }
}

run "safe" {
  command = plan

  assert {
    condition     = aws_msk_cluster.this.number_of_broker_nodes == 3
    error_message = "a broker in each zone"
  }

  assert {
    condition     = aws_msk_cluster.this.encryption_info[0].encryption_in_transit[0].client_broker == "TLS" && aws_msk_cluster.this.client_authentication[0].sasl[0].scram
    error_message = "TLS and SCRAM"
  }

  assert {
    condition     = strcontains(aws_msk_configuration.this.server_properties, "delete.topic.enable=false")
    error_message = "a protected cluster refuses to delete topics"
  }

  assert {
    condition     = output.topics["conversation.inbound"].partitions == 8
    error_message = "the topics are handed on"
  }
}

run "refuses_two_brokers_for_three_copies" {
  command = plan

  variables {
    subnet_ids = ["subnet-1", "subnet-2"]
  }

  expect_failures = [var.brokers_per_zone]
}

run "refuses_an_unknown_class" {
  command = plan

  variables {
    broker_class = "kafka.m5.huge"
  }

  expect_failures = [var.broker_class]
}

run "refuses_topics_that_keep_nothing" {
  command = plan

  variables {
    topics = { "a" = { partitions = 1, retention_ms = 0, compacted = false } }
  }

  expect_failures = [var.topics]
}

run "refuses_an_hour_of_retention" {
  command = plan

  variables {
    default_retention_hours = 1
  }

  expect_failures = [var.default_retention_hours]
}
