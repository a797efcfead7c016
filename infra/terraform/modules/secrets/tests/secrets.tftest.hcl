variables {
  name                = "sluice-test"
  account_id          = "123456789012"
  kms_key_arn         = "arn:aws:kms:eu-west-1:123456789012:key/1"
  deletion_protection = true
  secrets = {
    model = { description = "MODEL_API_KEY" }
    kafka = { description = "Kafka", name_prefix = "AmazonMSK_", services = ["kafka.amazonaws.com"] }
  }
}

run "names_and_no_values" {
  command = plan

  assert {
    condition     = output.names == { model = "sluice-test-model", kafka = "AmazonMSK_sluice-test-kafka" }
    error_message = "names follow from keys"
  }

  assert {
    condition     = length(aws_secretsmanager_secret_version.initial) == 0 && length(aws_secretsmanager_secret_rotation.this) == 0
    error_message = "no value unless it is asked for"
  }
}

run "a_service_reads_what_names_it" {
  command = apply

  variables {
    initial_values = {}
  }

  assert {
    condition     = strcontains(aws_secretsmanager_secret_policy.this["kafka"].policy, "kafka.amazonaws.com")
    error_message = "MSK reads the secret of its users"
  }

  assert {
    condition     = !strcontains(aws_secretsmanager_secret_policy.this["model"].policy, "amazonaws.com")
    error_message = "no service reads another secret"
  }

  assert {
    condition     = strcontains(aws_secretsmanager_secret_policy.this["kafka"].policy, "aws:PrincipalIsAWSService")
    error_message = "a service has no account, so the account alone would shut it out"
  }
}

run "refuses_a_service_that_is_none" {
  command = plan

  variables {
    secrets = { kafka = { description = "Kafka", services = ["*"] } }
  }

  expect_failures = [var.secrets]
}

run "a_first_value_is_in_no_state" {
  command = apply

  variables {
    secrets        = { model = { description = "MODEL_API_KEY", initial_version = 1 } }
    initial_values = { model = "not-to-be-seen" }
  }

  assert {
    condition     = aws_secretsmanager_secret_version.initial["model"].secret_string_wo == null
    error_message = "a write-only value is in no state"
  }
}

run "later_plans_go_without_the_first_value" {
  command = plan

  variables {
    secrets = { model = { description = "MODEL_API_KEY", initial_version = 1 } }
  }

  assert {
    condition     = aws_secretsmanager_secret_version.initial["model"].secret_string_wo_version == 1
    error_message = "the version stays as it is"
  }
}

run "rotation" {
  command = plan

  variables {
    secrets = { model = { description = "MODEL_API_KEY", rotation_lambda_arn = "arn:aws:lambda:eu-west-1:123456789012:function:rotate", rotation_days = 7 } }
  }

  assert {
    condition     = aws_secretsmanager_secret_rotation.this["model"].rotation_rules[0].automatically_after_days == 7
    error_message = "rotated each week"
  }
}

run "refuses_what_is_no_function" {
  command = plan

  variables {
    secrets = { model = { description = "MODEL_API_KEY", rotation_lambda_arn = "rotate" } }
  }

  expect_failures = [var.secrets]
}
