// How a process is let in by the brokers: TLS, and a name with a password. Certificates are always checked.

import type { KafkaConfig } from 'kafkajs'
import type { Config, Secret } from '../../config/index.ts'
import { SluiceError } from '../../errors/index.ts'

export interface KafkaSecurity {
  readonly tls: boolean
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
    readonly username: string
    readonly password: Secret<string>
  }
}

type SecurityConfig = Partial<
  Pick<Config, 'kafkaTls' | 'kafkaSaslMechanism' | 'kafkaSaslUsername' | 'kafkaSaslPassword'>
>

/** @throws SluiceError `invalid_option` when a mechanism has no name or password, or would send a password in clear. */
export function kafkaSecurity(config: SecurityConfig): KafkaSecurity {
  const { kafkaTls: tls = false, kafkaSaslMechanism: mechanism = 'none' } = config
  const { kafkaSaslUsername: username = '', kafkaSaslPassword: password } = config
  if (mechanism === 'none') return { tls }
  if (username === '' || password === undefined) {
    throw new SluiceError(
      'invalid_option',
      `KAFKA_SASL_MECHANISM=${mechanism} needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD`,
    )
  }
  if (mechanism === 'plain' && !tls) {
    throw new SluiceError(
      'invalid_option',
      'KAFKA_SASL_MECHANISM=plain sends the password as it is: set KAFKA_TLS=true',
    )
  }
  return { tls, sasl: { mechanism, username, password } }
}

export function saslOf(security: KafkaSecurity | undefined): Pick<KafkaConfig, 'sasl'> {
  if (security?.sasl === undefined) return {}
  const { mechanism, username, password } = security.sasl
  return { sasl: { mechanism, username, password: password.reveal() } as NonNullable<KafkaConfig['sasl']> }
}
