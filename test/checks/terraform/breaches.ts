// Mistakes to plant in a copy of the Terraform code, each as the few characters that make it, and who must find it.

export interface Breach {
  readonly name: string
  /** Below infra/terraform. */
  readonly file: string
  /** Text of the file as it is. */
  readonly from: string
  readonly to: string
  /** Who finds it. A rule by its name. */
  readonly foundBy:
    | 'fmt'
    | 'validate'
    | 'plan'
    | 'test'
    | 'environments'
    | 'values'
    | 'needs'
    | { readonly rule: string }
  readonly says: RegExp
  /** Default: dev. */
  readonly environment?: 'dev' | 'prod'
}

const postgres = 'modules/postgres/main.tf'
const kafka = 'modules/kafka/main.tf'
const buckets = 'modules/buckets/main.tf'
const access = 'modules/access/main.tf'
const dev = 'environments/dev/settings.tf'
const prod = 'environments/prod/settings.tf'
const main = 'environments/dev/main.tf'

export const breaches: readonly Breach[] = [
  {
    name: 'an attribute with a wrong name',
    file: postgres,
    from: 'storage_encrypted     = true',
    to: 'storage_encryptd      = true',
    foundBy: 'validate',
    says: /"storage_encryptd" is not expected here/,
  },
  {
    name: 'a database class that does not exist',
    file: dev,
    from: 'db.t4g.small',
    to: 'db.m6g.huge',
    foundBy: 'validate',
    says: /instance_class must be one of/,
  },
  {
    name: 'a cache class that does not exist',
    file: dev,
    from: 'cache.t4g.micro',
    to: 'cache.m6g.huge',
    foundBy: 'validate',
    says: /node_type must be one of/,
  },
  {
    name: 'a broker class that does not exist',
    file: dev,
    from: 'kafka.t3.small',
    to: 'kafka.m5.huge',
    foundBy: 'validate',
    says: /broker_class must be/,
  },
  {
    name: 'buckets without encryption',
    file: buckets,
    from: 'resource "aws_s3_bucket_server_side_encryption_configuration" "this" {\n  for_each = aws_s3_bucket.this\n',
    to: 'resource "aws_s3_bucket_server_side_encryption_configuration" "this" {\n  for_each = {}\n',
    foundBy: { rule: 'buckets are private, encrypted, versioned, and refuse clear text' },
    says: /aws_s3_bucket\.this has no encryption/,
  },
  {
    name: 'Postgres open to the internet',
    file: access,
    from: 'referenced_security_group_id = aws_security_group.function[each.value.function].id',
    to: 'cidr_ipv4                    = "0.0.0.0/0"',
    foundBy: { rule: 'nothing can be reached from the internet' },
    says: /dependency\["gateway\/postgres"\] lets the whole internet in/,
  },
  {
    name: 'Redis open to the internet, by a rule inside the group',
    file: 'modules/redis/main.tf',
    from: '  tags        = { Name = "${var.name}-redis" }',
    to: '  ingress {\n    from_port   = 6379\n    to_port     = 6379\n    protocol    = "tcp"\n    cidr_blocks = ["0.0.0.0/0"]\n  }',
    foundBy: { rule: 'nothing can be reached from the internet' },
    says: /module\.redis\.aws_security_group\.this lets the whole internet in/,
  },
  {
    name: 'an output that a module does not have',
    file: main,
    from: 'module.redis.security_group_id',
    to: 'module.redis.group',
    foundBy: 'validate',
    says: /does not have an attribute named "group"|Unsupported attribute/,
  },
  {
    name: 'a word that Kafka does not know',
    file: kafka,
    from: 'client_broker = "TLS"',
    to: 'client_broker = "SSL"',
    foundBy: { rule: 'nothing is sent in clear, and nobody connects without saying who they are' },
    says: /takes clients without TLS/,
  },
  {
    name: 'a kind of storage that does not exist',
    file: postgres,
    from: '"gp3"',
    to: '"gp9"',
    foundBy: { rule: 'classes and kinds of storage exist' },
    says: /there is no storage gp9/,
  },
  {
    name: 'a required argument that is missing',
    file: kafka,
    from: '  number_of_broker_nodes = local.broker_count\n',
    to: '',
    foundBy: 'validate',
    says: /"number_of_broker_nodes" is required/,
  },
  {
    name: 'a policy of every action on everything',
    file: access,
    from: 'actions   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]\n      resources = statement.value',
    to: 'actions   = ["*"]\n      resources = ["*"]',
    foundBy: { rule: 'policies are JSON and give no wildcards' },
    says: /ReadItsSecrets allows \*/,
  },
  {
    name: 'an attribute that a resource does not have',
    file: 'modules/kafka/outputs.tf',
    from: 'bootstrap_brokers_sasl_scram',
    to: 'bootstrap_brokers_scram',
    foundBy: 'validate',
    says: /no argument, nested block, or exported attribute named "bootstrap_brokers_scram"/,
  },
  {
    name: 'a text where a list is wanted',
    file: main,
    from: 'subnet_ids  = module.network.private_subnet_ids',
    to: 'subnet_ids  = module.network.vpc_id',
    foundBy: 'plan',
    says: /list of string required|unsuitable for child module variable/,
  },
  {
    name: 'Kafka in clear',
    file: kafka,
    from: 'client_broker = "TLS"',
    to: 'client_broker = "PLAINTEXT"',
    foundBy: { rule: 'nothing is sent in clear, and nobody connects without saying who they are' },
    says: /takes clients without TLS/,
  },
  {
    name: 'a database stored in clear',
    file: postgres,
    from: 'storage_encrypted     = true',
    to: 'storage_encrypted     = false',
    foundBy: { rule: 'what is stored is encrypted with a key of this account' },
    says: /aws_db_instance\.this stores in clear/,
  },
  {
    name: 'a variable that nobody declared',
    file: main,
    from: 'cidr                = var.cidr',
    to: 'cidr                = var.range',
    foundBy: 'validate',
    says: /undeclared input variable/,
  },
  {
    name: 'a policy that is not JSON',
    file: buckets,
    from: 'policy = data.aws_iam_policy_document.tls_only[each.key].json',
    to: 'policy = "deny everything in clear"',
    foundBy: { rule: 'policies are JSON and give no wildcards' },
    says: /the policy is not JSON/,
  },
  {
    name: 'a production database that can be deleted',
    file: prod,
    from: 'deletion_protection = true',
    to: 'deletion_protection = false',
    foundBy: { rule: 'production keeps its data: copies, backups, and no deletion by accident' },
    says: /aws_db_instance\.this can be deleted/,
    environment: 'prod',
  },
  {
    name: 'no backups',
    file: prod,
    from: 'backup_retention_days       = 14',
    to: 'backup_retention_days       = 0',
    foundBy: 'validate',
    says: /backup_retention_days must be 1 to 35/,
    environment: 'prod',
  },
  {
    name: 'an open range for the network',
    file: 'environments/dev/terraform.tfvars.example',
    from: '10.40.0.0/16',
    to: '0.0.0.0/0',
    foundBy: 'plan',
    says: /cidr must be a private IPv4 range/,
  },
  {
    name: 'the value of a secret in the state',
    file: 'modules/redis/main.tf',
    from: 'type = "iam"',
    to: 'type      = "password"\n    passwords = ["hush"]',
    foundBy: { rule: 'no value of a secret is in plan or state' },
    says: /has a value in authentication_mode\.passwords/,
  },
  {
    name: 'lines that are not aligned',
    file: main,
    from: 'nat                 = local.settings.nat',
    to: 'nat = local.settings.nat',
    foundBy: 'fmt',
    says: /environments\/dev\/main\.tf/,
  },
  {
    name: 'an environment that goes its own way',
    file: main,
    from: 'port = 9096',
    to: 'port = 9098',
    foundBy: 'environments',
    says: /main\.tf is not the same/,
  },
  {
    name: 'a validation that is gone',
    file: 'modules/postgres/variables.tf',
    from: 'var.backup_retention_days >= 1',
    to: 'var.backup_retention_days >= 0',
    foundBy: 'test',
    says: /refuses_no_backups/,
  },
  {
    name: 'a description with an apostrophe',
    file: access,
    from: '"Dispatchers of Knative"',
    to: '"Knative\'s dispatchers"',
    foundBy: { rule: 'descriptions of groups and rules are ones that EC2 takes' },
    says: /dispatchers\[0\]: EC2 does not take the description/,
  },
  {
    name: 'an output with another name',
    file: 'environments/dev/outputs.tf',
    from: 'bootstrap_servers = module.kafka.bootstrap_servers',
    to: 'brokers           = module.kafka.bootstrap_servers',
    foundBy: 'values',
    says: /output kafka\.bootstrap_servers is missing/,
  },
  {
    name: 'functions that read the secrets of all',
    file: access,
    from: 'setunion(needs, var.functions[name].uses)',
    to: 'setunion(flatten([for all in values(local.needs) : tolist(all)]), var.functions[name].uses)',
    foundBy: 'needs',
    says: /one need more \(memory-sync\): expected .*aws_iam_role_policy.*, and the plan has/,
  },
]
