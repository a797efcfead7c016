// A Kafka broker from the jars of Maven Central on the machine's Java, cached in .cache/kafka/<hash of pom.xml>/:
//   libs/      the jars
//   template/  a formatted, empty log folder, copied for each broker
//   *.jsa      a class archive, written when the first broker stops; it halves the next start

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { allotPorts } from '../../../../local/runner/index.ts'
import { projectCache } from '../../places.ts'
import { command, firstAnswer, onPath } from '../machine.ts'
import { startServerProcess } from '../server-process.ts'
import { apiVersionsRequest, brokerSettings, type BrokerSecurity } from './broker-settings.ts'

export interface Broker {
  readonly brokers: string
  /** Process id of the present run. */
  readonly pid: number
  /** Ends the broker by SIGKILL, waits, and starts it again on the same log and ports. Resolves when it serves again. */
  bounce(options: { readonly downMs: number }): Promise<void>
  /** Ends the broker by SIGKILL. Resolves when it has ended. */
  end(): Promise<void>
  /** After end(), on the same log and ports. Resolves when it serves again. */
  startAgain(): Promise<void>
  kill(signal: NodeJS.Signals): boolean
  stop(): Promise<void>
}

const pom = fileURLToPath(new URL('pom.xml', import.meta.url))
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'
const heap = ['-Xms64m', '-Xmx160m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
const oldestJava = 17
/** Sixteen bytes in base64url. Not random: one of 64 would begin with a dash, and be taken for an option. */
const clusterId = Buffer.from('sluice-test-node').toString('base64url')

export interface BrokerOptions {
  /** Where the log lives. Created when absent, and removed by stop(). Default: a temporary folder. */
  readonly folder?: string
  /** The port that clients are told to connect to, where a proxy stands before the broker. Default: its own. */
  readonly advertisedPort?: number
  /** Default: open to everyone, in clear. */
  readonly secured?: BrokerSecurity
}

/** Starts a broker, or says what this machine lacks for one. */
export async function startBrokerFromJars(options: BrokerOptions = {}): Promise<Broker | { readonly missing: string }> {
  const java = await findJava()
  if ('missing' in java) return java
  const home = join(projectCache, 'kafka', createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12))
  if (!existsSync(join(home, 'libs'))) {
    const mvn = onPath('mvn')
    if (mvn === undefined)
      return { missing: 'no mvn on the PATH to fetch the broker with (Debian: apt-get install maven)' }
    await fetchJars(mvn, join(home, 'libs'))
  }
  return startBroker({ home, java, ...options })
}

interface Java {
  readonly file: string
  readonly version: string
}

async function findJava(): Promise<Java | { readonly missing: string }> {
  const home = process.env['JAVA_HOME'] ?? ''
  const file = home === '' ? onPath('java') : join(home, 'bin', 'java')
  if (file === undefined) return { missing: `no java on the PATH (Debian: apt-get install openjdk-17-jre-headless)` }
  const printed = await command('/bin/sh', ['-c', '"$0" -XshowSettings:properties -version 2>&1', file])
  const version = /java\.vm\.version = (\S+)/.exec(printed)?.[1] ?? ''
  const major = Number(/java\.specification\.version = (\d+)/.exec(printed)?.[1] ?? 0)
  return major >= oldestJava
    ? { file, version }
    : { missing: `Java ${major} is too old, the broker needs ${oldestJava}` }
}

async function fetchJars(mvn: string, libs: string): Promise<void> {
  const unfinished = `${libs}.${process.pid}`
  mkdirSync(unfinished, { recursive: true })
  try {
    const args = [
      '-q',
      '-B',
      '-ntp',
      '-f',
      pom,
      copyDependencies,
      '-DincludeScope=runtime',
      `-DoutputDirectory=${unfinished}`,
    ]
    await command(mvn, args, { limitMs: 300_000 })
    renameSync(unfinished, libs)
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    if (!existsSync(libs)) throw error
  }
}

interface StartOptions extends BrokerOptions {
  readonly home: string
  readonly java: Java
}

async function startBroker(options: StartOptions, triesLeft = 2): Promise<Broker> {
  const { home, java, folder: given, advertisedPort, secured } = options
  const folder = given ?? mkdtempSync(join(tmpdir(), 'sluice-kafka-'))
  mkdirSync(folder, { recursive: true })
  const logDirs = join(folder, 'log')
  const properties = join(folder, 'server.properties')
  // A broker cannot listen on port 0: what it advertises must be known beforehand.
  const [client = 0, controller = 0] = await allotPorts(2)
  const settings = brokerSettings({
    listen: `127.0.0.1:${client}`,
    advertise: `127.0.0.1:${advertisedPort ?? client}`,
    controller: `127.0.0.1:${controller}`,
    logDirs,
    ...(secured === undefined ? {} : { secured }),
  })
  writeFileSync(
    properties,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  )
  const classPath = ['-cp', join(home, 'libs', '*')]
  try {
    await prepareLog({ home, java, properties, logDirs, classPath, secured })
    const archive = join(home, `classes-${createHash('sha256').update(java.version).digest('hex').slice(0, 8)}.jsa`)
    const archiveArgs = existsSync(archive)
      ? [`-XX:SharedArchiveFile=${archive}`]
      : [`-XX:ArchiveClassesAtExit=${archive}.${process.pid}`]
    const flags = [...heap, ...archiveArgs, '-Xlog:cds=off', '-Xlog:cds+dynamic=off']
    const launch = () =>
      startServerProcess({
        file: java.file,
        args: [...flags, ...classPath, 'kafka.Kafka', properties],
        cwd: folder,
        ready: () => serves(client, secured !== undefined),
        limitMs: 60_000,
      })
    let child = await launch()
    const end = async (): Promise<void> => {
      child.kill('SIGKILL')
      await child.exited
    }
    const startAgain = async (): Promise<void> => {
      child = await launch()
    }
    return {
      brokers: `127.0.0.1:${client}`,
      get pid() {
        return child.pid
      },
      kill: (signal) => child.kill(signal),
      end,
      startAgain,
      bounce: async ({ downMs }) => {
        await end()
        await sleep(downMs)
        await startAgain()
      },
      stop: async () => {
        await child.stop({ limitMs: 20_000 })
        if (existsSync(`${archive}.${process.pid}`)) renameSync(`${archive}.${process.pid}`, archive)
        rmSync(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    if (given === undefined) rmSync(folder, { recursive: true, force: true })
    if (triesLeft > 1 && /Address already in use/.test(String(error))) return startBroker(options, triesLeft - 1)
    throw error
  }
}

interface LogOptions {
  readonly home: string
  readonly java: Java
  readonly properties: string
  readonly logDirs: string
  readonly classPath: readonly string[]
  readonly secured: BrokerSecurity | undefined
}

async function prepareLog(options: LogOptions): Promise<void> {
  const { home, logDirs, secured } = options
  if (existsSync(logDirs)) return // the log of an earlier run
  if (secured !== undefined) {
    const { username, password } = secured
    return formatLog(options, ['--add-scram', `SCRAM-SHA-512=[name=${username},password=${password}]`])
  }
  const template = join(home, 'template')
  if (!existsSync(template)) {
    await formatLog(options)
    const unfinished = `${template}.${process.pid}`
    cpSync(logDirs, unfinished, { recursive: true })
    try {
      renameSync(unfinished, template)
    } catch {
      rmSync(unfinished, { recursive: true, force: true }) // another run was quicker
    }
    return
  }
  cpSync(template, logDirs, { recursive: true })
}

async function formatLog({ java, properties, classPath }: LogOptions, more: readonly string[] = []): Promise<void> {
  const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties, ...more]
  await command(java.file, [...heap, ...classPath, ...format], { limitMs: 60_000 })
}

/** A broker behind TLS does not answer a plain request, so a handshake has to do. */
async function serves(port: number, secured: boolean): Promise<boolean> {
  if (!secured) return ((await firstAnswer(port, apiVersionsRequest))?.length ?? 0) > 10
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(1_000) })
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
