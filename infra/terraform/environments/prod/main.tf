# The ground below the functions. settings.tf says how large and how safe; generated/ says what functions and topics there are.

data "aws_caller_identity" "this" {}

locals {
  name       = "sluice-${local.settings.environment}"
  account_id = data.aws_caller_identity.this.account_id
  topics     = jsondecode(file("${path.module}/../../generated/topics.auto.tfvars.json")).topics
  functions  = jsondecode(file("${path.module}/../../generated/functions.auto.tfvars.json")).functions

  # ServiceAccounts beside the functions: one runs the migrations and makes the topics before each roll-out; as the other, the
  # credentials of KafkaSources and sinks are read.
  jobs = {
    "sluice-migrate" = { needs = ["postgres", "kafka"] }
    "sluice-sources" = { needs = ["kafka"] }
  }

  # Each is JSON with the properties that its description names.
  secrets = {
    postgres = { description = "The user of the functions: username, password" }
    redis    = { description = "The user of the functions: username, password" }
    model    = { description = "The chat model: base_url, api_key" }
    memory   = { description = "Between functions and memory-service: token" }
    kafka = {
      description = "The user of functions, sources and sinks: username, password"
      name_prefix = "AmazonMSK_"
      services    = ["kafka.amazonaws.com"]
    }
  }
}

module "key" {
  source = "../../modules/key"

  name       = local.name
  account_id = local.account_id
}

module "network" {
  source = "../../modules/network"

  name                = local.name
  cidr                = var.cidr
  zones               = var.zones
  nat                 = local.settings.nat
  interface_endpoints = local.settings.interface_endpoints
  flow_logs           = local.settings.flow_logs
  kms_key_arn         = module.key.arn
}

module "postgres" {
  source = "../../modules/postgres"

  name                        = local.name
  vpc_id                      = module.network.vpc_id
  subnet_ids                  = module.network.private_subnet_ids
  kms_key_arn                 = module.key.arn
  instance_class              = local.settings.postgres.instance_class
  multi_az                    = local.settings.postgres.multi_az
  storage_gib                 = local.settings.postgres.storage_gib
  max_storage_gib             = local.settings.postgres.max_storage_gib
  backup_retention_days       = local.settings.postgres.backup_retention_days
  monitoring_interval_seconds = local.settings.postgres.monitoring_interval_seconds
  deletion_protection         = local.settings.deletion_protection
}

module "redis" {
  source = "../../modules/redis"

  name        = local.name
  vpc_id      = module.network.vpc_id
  subnet_ids  = module.network.private_subnet_ids
  kms_key_arn = module.key.arn
  node_type   = local.settings.redis.node_type
  nodes       = local.settings.redis.nodes
}

module "kafka" {
  source = "../../modules/kafka"

  name                = local.name
  vpc_id              = module.network.vpc_id
  subnet_ids          = module.network.private_subnet_ids
  kms_key_arn         = module.key.arn
  broker_class        = local.settings.kafka.broker_class
  brokers_per_zone    = length(var.zones) == 2 ? 2 : 1
  storage_gib         = local.settings.kafka.storage_gib
  log_retention_days  = local.settings.kafka.log_retention_days
  deletion_protection = local.settings.deletion_protection
  scram_secret_arns   = [module.secrets.arns["kafka"]]
  topics              = local.topics
}

module "buckets" {
  source = "../../modules/buckets"

  name                = local.name
  account_id          = local.account_id
  kms_key_arn         = module.key.arn
  deletion_protection = local.settings.deletion_protection
}

module "secrets" {
  source = "../../modules/secrets"

  name                = local.name
  account_id          = local.account_id
  kms_key_arn         = module.key.arn
  deletion_protection = local.settings.deletion_protection
  initial_values      = var.initial_secret_values

  secrets = {
    for key, secret in local.secrets : key => merge(secret, {
      initial_version     = lookup(var.initial_secret_versions, key, 0)
      rotation_lambda_arn = lookup(var.rotation_lambda_arns, key, null)
    })
  }
}

module "access" {
  source = "../../modules/access"

  name        = local.name
  vpc_id      = module.network.vpc_id
  vpc_cidr    = module.network.vpc_cidr
  cluster     = var.cluster
  functions   = merge(local.functions, local.jobs)
  secret_arns = module.secrets.arns
  bucket_arns = module.buckets.arns
  kms_key_arn = module.key.arn

  dependencies = {
    postgres = { security_group_id = module.postgres.security_group_id, port = 5432 }
    redis    = { security_group_id = module.redis.security_group_id, port = 6379 }
    kafka    = { security_group_id = module.kafka.security_group_id, port = 9096 }
  }
}
