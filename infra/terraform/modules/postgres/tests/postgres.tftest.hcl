variables {
  name                  = "sluice-test"
  vpc_id                = "vpc-1"
  subnet_ids            = ["subnet-1", "subnet-2"]
  kms_key_arn           = "arn:aws:kms:eu-west-1:123456789012:key/1"
  instance_class        = "db.m7g.large"
  multi_az              = true
  backup_retention_days = 14
  deletion_protection   = true
}

run "safe" {
  command = plan

  assert {
    condition     = aws_db_instance.this.storage_encrypted && !aws_db_instance.this.publicly_accessible && aws_db_instance.this.manage_master_user_password
    error_message = "encrypted, private, and RDS keeps the password"
  }

  assert {
    condition     = !aws_db_instance.this.skip_final_snapshot && aws_db_instance.this.final_snapshot_identifier == "sluice-test-final"
    error_message = "a protected instance leaves a snapshot behind"
  }

  assert {
    condition     = aws_db_parameter_group.this.family == "postgres17"
    error_message = "the family follows from the version"
  }

  assert {
    condition     = length([for parameter in aws_db_parameter_group.this.parameter : parameter if parameter.name == "rds.force_ssl" && parameter.value == "1"]) == 1
    error_message = "TLS is enforced"
  }
}

run "cheap" {
  command = plan

  variables {
    instance_class              = "db.t4g.small"
    multi_az                    = false
    backup_retention_days       = 1
    deletion_protection         = false
    monitoring_interval_seconds = 0
  }

  assert {
    condition     = length(aws_iam_role.monitoring) == 0 && aws_db_instance.this.skip_final_snapshot
    error_message = "nothing is left behind"
  }
}

run "refuses_an_unknown_class" {
  command = plan

  variables {
    instance_class = "db.m6g.huge"
  }

  expect_failures = [var.instance_class]
}

run "refuses_no_backups" {
  command = plan

  variables {
    backup_retention_days = 0
  }

  expect_failures = [var.backup_retention_days]
}

run "refuses_an_old_version" {
  command = plan

  variables {
    engine_version = "12.1"
  }

  expect_failures = [var.engine_version]
}

run "refuses_one_subnet" {
  command = plan

  variables {
    subnet_ids = ["subnet-1"]
  }

  expect_failures = [var.subnet_ids]
}

run "refuses_storage_that_shrinks" {
  command = plan

  variables {
    storage_gib     = 100
    max_storage_gib = 50
  }

  expect_failures = [var.max_storage_gib]
}
