variables {
  name                = "sluice-test"
  account_id          = "123456789012"
  kms_key_arn         = "arn:aws:kms:eu-west-1:123456789012:key/1"
  deletion_protection = true
}

run "three_buckets" {
  command = plan

  assert {
    condition     = sort(keys(aws_s3_bucket.this)) == tolist(["attachments", "exports", "recordings"])
    error_message = "attachments, exports and recordings"
  }

  assert {
    condition     = alltrue([for bucket in aws_s3_bucket.this : !bucket.force_destroy])
    error_message = "a protected bucket is not deleted with what is in it"
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.this["attachments"].rule) == 1 && length(aws_s3_bucket_lifecycle_configuration.this["exports"].rule) == 2
    error_message = "attachments are kept, exports end"
  }
}

run "refuses_old_versions_for_no_days" {
  command = plan

  variables {
    buckets = { attachments = { old_versions_days = 0 } }
  }

  expect_failures = [var.buckets]
}
