variables {
  name       = "sluice-test"
  account_id = "123456789012"
}

run "rotated" {
  command = plan

  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_alias.this.name == "alias/sluice-test"
    error_message = "rotated, and known by its name"
  }
}

run "refuses_what_is_no_account" {
  command = plan

  variables {
    account_id = "me"
  }

  expect_failures = [var.account_id]
}
