variables {
  name     = "sluice-test"
  vpc_id   = "vpc-1"
  vpc_cidr = "10.40.0.0/16"
  cluster = {
    oidc_provider_arn      = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A1"
    oidc_issuer            = "https://oidc.eks.eu-west-1.amazonaws.com/id/A1"
    node_security_group_id = "sg-nodes"
    namespace              = "sluice"
  }
  functions = {
    gateway       = { needs = ["postgres", "redis"], produces = ["conversation.inbound"] }
    tool-executor = { needs = ["postgres"] }
    memory        = { needs = [], uses = ["memory"] }
    pure          = { needs = [] }
  }
  dependencies = {
    postgres = { security_group_id = "sg-postgres", port = 5432 }
    redis    = { security_group_id = "sg-redis", port = 6379 }
    kafka    = { security_group_id = "sg-kafka", port = 9096 }
  }
  secret_arns = { postgres = "arn:postgres", redis = "arn:redis", kafka = "arn:kafka", model = "arn:model", memory = "arn:memory" }
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1"
}

run "needs_become_rules_and_policies" {
  command = plan

  assert {
    condition     = sort(keys(aws_vpc_security_group_ingress_rule.dependency)) == tolist(["gateway/kafka", "gateway/postgres", "gateway/redis", "tool-executor/postgres"])
    error_message = "each function reaches what it needs, and Kafka when it emits"
  }

  assert {
    condition     = tolist(data.aws_iam_policy_document.function["gateway"].statement[0].resources) == tolist(["arn:kafka", "arn:postgres", "arn:redis"])
    error_message = "the gateway reads its three secrets"
  }

  assert {
    condition     = tolist(data.aws_iam_policy_document.function["tool-executor"].statement[0].resources) == tolist(["arn:postgres"])
    error_message = "the tool executor reads one"
  }

  assert {
    condition     = tolist(data.aws_iam_policy_document.function["memory"].statement[0].resources) == tolist(["arn:memory"])
    error_message = "what a function uses has a secret, too"
  }

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.cluster : rule.security_group_id == "sg-nodes"])
    error_message = "functions find names and each other through the nodes"
  }

  assert {
    condition     = !contains(keys(aws_iam_role_policy.function), "pure") && contains(keys(aws_iam_role.function), "pure")
    error_message = "a function without needs has a role that may do nothing"
  }

  assert {
    condition     = strcontains(aws_iam_role.function["gateway"].assume_role_policy, "system:serviceaccount:sluice:gateway")
    error_message = "a role is for one ServiceAccount"
  }
}

run "refuses_an_issuer_that_is_none" {
  command = plan

  variables {
    cluster = {
      oidc_provider_arn      = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A1"
      oidc_issuer            = "*"
      node_security_group_id = "sg-nodes"
      namespace              = "sluice"
    }
  }

  expect_failures = [var.cluster]
}

run "refuses_the_whole_internet_for_a_vpc" {
  command = plan

  variables {
    vpc_cidr = "0.0.0.0/0"
  }

  expect_failures = [var.vpc_cidr]
}
