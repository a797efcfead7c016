# Who may reach what, derived from the functions' own definitions (generated/functions.auto.tfvars.json): for each function a role for
# its ServiceAccount that reads the secrets of what it needs, and a security group that the dependencies it needs let in.
# A changed need changes the policy and the rules of that function, and nothing else.

locals {
  # A function that emits publishes its own rows, so it reaches Kafka like one that needs it.
  needs = {
    for name, function in var.functions : name => toset(concat(
      function.needs,
      length(function.produces) > 0 && !contains(function.needs, "kafka") ? ["kafka"] : [],
    ))
  }

  reached = merge([
    for name, needs in local.needs : {
      for need in needs : "${name}/${need}" => { function = name, dependency = need }
      if contains(keys(var.dependencies), need)
    }
  ]...)

  # What it works with where it is there has a secret, too, and nothing to reach beside functions.
  secret_arns = {
    for name, needs in local.needs : name => sort([
      for key in setunion(needs, var.functions[name].uses) : var.secret_arns[key] if contains(keys(var.secret_arns), key)
    ])
  }
  bucket_arns = { for name, needs in local.needs : name => contains(needs, "bucket") ? sort(values(var.bucket_arns)) : [] }
  issuer      = trimprefix(var.cluster.oidc_issuer, "https://")
}

# Worn by the pods of every function: traffic among functions and from the nodes (activator, probes, dispatchers), and out.
resource "aws_security_group" "functions" {
  name        = "${var.name}-functions"
  description = "Every function"
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-functions" }
}

resource "aws_vpc_security_group_ingress_rule" "functions" {
  security_group_id            = aws_security_group.functions.id
  description                  = "Functions among themselves"
  referenced_security_group_id = aws_security_group.functions.id
  ip_protocol                  = "tcp"
  from_port                    = 8008
  to_port                      = 9464
}

resource "aws_vpc_security_group_ingress_rule" "nodes" {
  security_group_id            = aws_security_group.functions.id
  description                  = "Activator, probes and dispatchers, on the nodes"
  referenced_security_group_id = var.cluster.node_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 8008
  to_port                      = 9464
}

# What functions ask of the cluster runs on the nodes.
resource "aws_vpc_security_group_ingress_rule" "cluster" {
  for_each = {
    names-tcp = { description = "Names", protocol = "tcp", from = 53, to = 53 }
    names-udp = { description = "Names", protocol = "udp", from = 53, to = 53 }
    knative   = { description = "Ingress and activator, by which functions call functions", protocol = "tcp", from = 8008, to = 8444 }
    traces    = { description = "Collector of traces", protocol = "tcp", from = 4317, to = 4318 }
  }

  security_group_id            = var.cluster.node_security_group_id
  description                  = each.value.description
  referenced_security_group_id = aws_security_group.functions.id
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.from
  to_port                      = each.value.to
}

resource "aws_vpc_security_group_egress_rule" "vpc" {
  security_group_id = aws_security_group.functions.id
  description       = "Dependencies, names, endpoints of AWS"
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "-1"
}

resource "aws_vpc_security_group_egress_rule" "internet" {
  for_each = toset([for port in var.egress_ports : tostring(port)])

  security_group_id = aws_security_group.functions.id
  description       = "Model providers and what tools fetch"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)
}

# Worn beside it by the pods of one function: its key to dependencies.
resource "aws_security_group" "function" {
  for_each = var.functions

  name        = "${var.name}-${each.key}"
  description = "Function ${each.key}"
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-${each.key}" }
}

resource "aws_vpc_security_group_ingress_rule" "dependency" {
  for_each = local.reached

  security_group_id            = var.dependencies[each.value.dependency].security_group_id
  description                  = each.value.function
  referenced_security_group_id = aws_security_group.function[each.value.function].id
  ip_protocol                  = "tcp"
  from_port                    = var.dependencies[each.value.dependency].port
  to_port                      = var.dependencies[each.value.dependency].port
}

# KafkaSource's dispatchers and KafkaSink's receiver run on the nodes.
resource "aws_vpc_security_group_ingress_rule" "dispatchers" {
  count = contains(keys(var.dependencies), "kafka") ? 1 : 0

  security_group_id            = var.dependencies["kafka"].security_group_id
  description                  = "Dispatchers of Knative"
  referenced_security_group_id = var.cluster.node_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = var.dependencies["kafka"].port
  to_port                      = var.dependencies["kafka"].port
}

data "aws_iam_policy_document" "trust" {
  for_each = var.functions

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [var.cluster.oidc_provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = ["system:serviceaccount:${var.cluster.namespace}:${each.key}"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "function" {
  for_each = var.functions

  name                 = "${var.name}-${each.key}"
  description          = "ServiceAccount ${each.key}"
  assume_role_policy   = data.aws_iam_policy_document.trust[each.key].json
  max_session_duration = 3600
}

data "aws_iam_policy_document" "function" {
  for_each = { for name, arns in local.secret_arns : name => arns if length(arns) + length(local.bucket_arns[name]) > 0 }

  dynamic "statement" {
    for_each = length(each.value) > 0 ? [each.value] : []

    content {
      sid       = "ReadItsSecrets"
      actions   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = length(local.bucket_arns[each.key]) > 0 ? [local.bucket_arns[each.key]] : []

    content {
      sid       = "UseItsObjects"
      actions   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      resources = [for arn in statement.value : "${arn}/*"]
    }
  }

  dynamic "statement" {
    for_each = length(local.bucket_arns[each.key]) > 0 ? [local.bucket_arns[each.key]] : []

    content {
      sid       = "ListItsBuckets"
      actions   = ["s3:ListBucket"]
      resources = statement.value
    }
  }

  statement {
    sid       = "DecryptWhatItReads"
    actions   = length(local.bucket_arns[each.key]) > 0 ? ["kms:Decrypt", "kms:GenerateDataKey"] : ["kms:Decrypt"]
    resources = [var.kms_key_arn]
  }
}

resource "aws_iam_role_policy" "function" {
  for_each = data.aws_iam_policy_document.function

  name   = "needs"
  role   = aws_iam_role.function[each.key].name
  policy = each.value.json
}
