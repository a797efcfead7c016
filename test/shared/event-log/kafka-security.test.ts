// The way in to brokers that ask for TLS and a password, on a real one.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { secret } from '../../../shared/config/index.ts'
import { SluiceError } from '../../../shared/errors/index.ts'
import { kafkaSecurity } from '../../../shared/event-log/kafka/kafka-security.ts'
import { atEnd, projectRoot, startChild, temporaryFolder } from '../../support/index.ts'
import { startBrokerFromJars } from '../../support/services/kafka/broker-from-jars.ts'

const account = { username: 'sluice', password: 'quite-secret' }

test('half an account is refused by the names of its variables, and so is a password in clear', () => {
  const refused = (config: Parameters<typeof kafkaSecurity>[0], pattern: RegExp): void =>
    assert.throws(
      () => kafkaSecurity(config),
      (error) => error instanceof SluiceError && error.code === 'invalid_option' && pattern.test(error.message),
    )
  refused({ kafkaSaslMechanism: 'scram-sha-512' }, /KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD/)
  refused({ kafkaSaslMechanism: 'scram-sha-512', kafkaSaslUsername: 'a' }, /KAFKA_SASL_PASSWORD/)
  refused(
    { kafkaSaslMechanism: 'plain', kafkaSaslUsername: 'a', kafkaSaslPassword: secret('hush') },
    /set KAFKA_TLS=true/,
  )
  assert.deepEqual(kafkaSecurity({}), { tls: false })
})

/** A certificate for `localhost` and the loopback address, good for a day. */
function certificate(t: TestContext): { readonly file: string; readonly certificate: string; readonly key: string } {
  const folder = temporaryFolder(t)
  const [file, keyFile] = [join(folder, 'broker.crt'), join(folder, 'broker.key')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const make = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', keyFile, '-out', file]
  execFileSync('openssl', [...make, ...subject], { stdio: 'ignore' })
  return { file, certificate: readFileSync(file, 'utf8'), key: readFileSync(keyFile, 'utf8') }
}

test('a process reaches brokers over TLS with its password, and not without', { timeout: 180_000 }, async (t) => {
  const tls = certificate(t)
  const broker = await startBrokerFromJars({ secured: { ...tls, ...account } })
  if ('missing' in broker) {
    assert.notEqual(process.env['CI'], 'true', broker.missing)
    return t.skip(broker.missing)
  }
  atEnd(t, () => broker.stop())

  // In a process of its own, because Node reads NODE_EXTRA_CA_CERTS when it starts.
  const use = async (env: Readonly<Record<string, string>>): Promise<string> => {
    const program = `
      const { loadConfig } = await import('./shared/config/index.ts')
      const { createEventLog } = await import('./shared/event-log/index.ts')
      const { createLogger } = await import('./shared/telemetry/index.ts')
      const { systemClock: clock } = await import('./shared/time/index.ts')
      const log = createLogger({ function: 'test', level: 'silent' })
      const eventLog = createEventLog(loadConfig(process.env), { clock, log, name: 'test' })
      try {
        await eventLog.start(AbortSignal.timeout(6000))
        await eventLog.ensureTopics([{ name: 'secured', partitions: 1 }])
        const [at] = await eventLog.append([{ topic: 'secured', key: null, headers: [], value: Buffer.from('x') }])
        console.log('outcome: written', JSON.stringify(at))
      } catch (error) {
        console.log('outcome:', error.code ?? error.name)
      }
      await eventLog.stop()`
    const child = startChild(t, ['--input-type=module', '--eval', program], {
      cwd: projectRoot,
      env: { KAFKA_BROKERS: broker.brokers, ...env },
    })
    return child.line(/^outcome:/, { limitMs: 60_000 })
  }
  const trusted = { KAFKA_TLS: 'true', NODE_EXTRA_CA_CERTS: tls.file }
  const asUser = { KAFKA_SASL_USERNAME: account.username, KAFKA_SASL_PASSWORD: account.password }
  assert.match(await use({ ...trusted, ...asUser, KAFKA_SASL_MECHANISM: 'scram-sha-512' }), /written .*"offset":0/)
  assert.match(await use({ ...trusted, ...asUser, KAFKA_SASL_MECHANISM: 'plain' }), /written .*"offset":1/)
  const wrong = { ...trusted, ...asUser, KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_PASSWORD: 'guessed' }
  for (const env of [
    wrong,
    trusted, // no password
    { ...asUser, KAFKA_TLS: 'true', KAFKA_SASL_MECHANISM: 'scram-sha-512' }, // a certificate of nobody it trusts
  ]) {
    assert.doesNotMatch(await use(env), /written/)
  }
})
