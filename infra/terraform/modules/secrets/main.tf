# Secrets Manager: names, a key and rotation. Terraform never holds a value: one that must exist from the start is given as an ephemeral
# variable, written write-only, and is in no plan and no state.

resource "aws_secretsmanager_secret" "this" {
  for_each = var.secrets

  name                    = "${each.value.name_prefix}${var.name}-${each.key}"
  description             = each.value.description
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.deletion_protection ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "initial" {
  for_each = { for key, secret in var.secrets : key => secret if secret.initial_version > 0 }

  secret_id = aws_secretsmanager_secret.this[each.key].id
  # Needed once for each number; later plans go without.
  secret_string_wo         = lookup(var.initial_values, each.key, null)
  secret_string_wo_version = each.value.initial_version
}

resource "aws_secretsmanager_secret_rotation" "this" {
  for_each = { for key, secret in var.secrets : key => secret if secret.rotation_lambda_arn != null }

  secret_id           = aws_secretsmanager_secret.this[each.key].id
  rotation_lambda_arn = each.value.rotation_lambda_arn

  rotation_rules {
    automatically_after_days = each.value.rotation_days
  }
}

# Whoever may read one is decided by roles (modules/access); nobody outside the account ever. A service of AWS has no account: it reads
# only what names it.
data "aws_iam_policy_document" "readers" {
  for_each = aws_secretsmanager_secret.this

  statement {
    sid       = "SameAccountOnly"
    effect    = "Deny"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [each.value.arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "StringNotEquals"
      variable = "aws:PrincipalAccount"
      values   = [var.account_id]
    }

    condition {
      test     = "Bool"
      variable = "aws:PrincipalIsAWSService"
      values   = ["false"]
    }
  }

  dynamic "statement" {
    for_each = length(var.secrets[each.key].services) > 0 ? [var.secrets[each.key].services] : []

    content {
      sid       = "ServicesThatReadIt"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [each.value.arn]

      principals {
        type        = "Service"
        identifiers = statement.value
      }
    }
  }
}

resource "aws_secretsmanager_secret_policy" "this" {
  for_each = aws_secretsmanager_secret.this

  secret_arn          = each.value.arn
  policy              = data.aws_iam_policy_document.readers[each.key].json
  block_public_policy = true
}
