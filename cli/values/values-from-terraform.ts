// From the outputs of infra/terraform to values of the chart: addresses, names of secrets, and for each function the role of its
// ServiceAccount and the security groups of its pods.

import { SluiceError } from '../../shared/errors/index.ts'
import type { Access, TerraformOutputs } from './terraform-outputs.ts'

/** Made by the chart from the store, in the form that KafkaSource and KafkaSink ask for. */
const kafkaSecret = { name: 'sluice-kafka' }

/** @throws SluiceError `invalid_option` when Terraform does not know one of the functions. */
export function valuesFromTerraform(outputs: TerraformOutputs, functions: readonly string[]): object {
  const { region, postgres, redis, kafka, buckets, secrets } = outputs
  const accessOf = (name: string): Access => outputs.functions[name] ?? refuse(name)
  return {
    kafka: {
      bootstrapServers: kafka.bootstrap_servers.split(','),
      tls: { enabled: true },
      sasl: { enabled: true, mechanism: 'scram-sha-512', type: kafkaSecret, user: kafkaSecret, password: kafkaSecret },
      sinkSecret: kafkaSecret.name,
    },
    externalSecrets: {
      enabled: true,
      aws: { region },
      database: { secret: secrets.postgres, ...pick(postgres), database: postgres.database },
      redis: { secret: secrets.redis, ...pick(redis) },
      kafka: { secret: secrets.kafka },
      model: { secret: secrets.model },
      memory: { secret: secrets.memory },
      sources: { serviceAccount: accountOf(accessOf('sluice-sources')) },
    },
    // RDS has an authority of its own.
    trustedCa: { configMap: 'sluice-ca' },
    env: Object.fromEntries(Object.entries(buckets).map(([name, bucket]) => [variableOf(name), bucket])),
    migrations: { topics: true, ...valuesOf(accessOf('sluice-migrate')) },
    functions: Object.fromEntries(functions.map((name) => [name, valuesOf(accessOf(name))])),
  }
}

function refuse(name: string): never {
  throw new SluiceError(
    'invalid_option',
    `output functions.${name} is missing: \`npx sluice render\`, then \`terraform apply\``,
  )
}

const pick = ({ host, port }: { readonly host: string; readonly port: number }): object => ({ host, port })

const accountOf = ({ role_arn }: Access): object => ({ annotations: { 'eks.amazonaws.com/role-arn': role_arn } })

const valuesOf = (access: Access): object => ({
  serviceAccount: accountOf(access),
  securityGroups: [...new Set(access.security_group_ids)],
})

const variableOf = (bucket: string): string => `BUCKET_${bucket.toUpperCase().replaceAll('-', '_')}`
