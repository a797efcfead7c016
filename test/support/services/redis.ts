// A Redis server for tests: given by address, from a container engine, from the machine, or from Debian's packages unpacked
// into the project's cache.

import { copyFileSync, chmodSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { GuardedChild } from '../../../local/guard/index.ts'
import { projectCache } from '../places.ts'
import { unpackDebianPackages } from './debian-packages.ts'
import { findFirst, type Found, type Source } from './found.ts'
import { command, containerEngine, firstAnswer, freePort, isExecutable, onPath } from './machine.ts'
import { startServerProcess } from './server-process.ts'

export interface RedisServer {
  readonly url: string
  stop(): Promise<void>
}

const image = 'docker.io/library/redis:7.4-alpine'
// redis-server of Debian is redis-check-rdb of redis-tools under another name, with three small libraries.
const debianPackages = ['redis-tools', 'libjemalloc2', 'liblzf1', 'libatomic1']

export const findRedis = (): Promise<Found<RedisServer>> =>
  findFirst('Redis', [given, container, installed, unpackedFromDebian])

const given: Source<RedisServer> = {
  name: 'TEST_REDIS_URL',
  find: () => {
    const url = process.env['TEST_REDIS_URL'] ?? ''
    return Promise.resolve(url === '' ? { missing: 'not set' } : { url, stop: () => Promise.resolve() })
  },
}

const container: Source<RedisServer> = {
  name: 'container engine',
  find: async () => {
    const engine = await containerEngine()
    if (engine === undefined) return { missing: 'neither docker nor podman answers' }
    await command(engine, ['pull', '--quiet', image], { limitMs: 180_000 })
    return startRedis(30_000, (port) => ({
      file: engine,
      args: ['run', '--rm', '--init', '--publish', `127.0.0.1:${port}:6379`, image, 'redis-server', ...withoutFiles],
    }))
  },
}

const installed: Source<RedisServer> = {
  name: 'the machine',
  find: () => startFound(installedProgram()),
}

const unpackedFromDebian: Source<RedisServer> = {
  name: "Debian's packages",
  find: async () => startFound(await debianProgram()),
}

export type RedisProgram = (port: number) => Program

/** How a Redis is started that a test may kill and start again: on this machine, never in a container. */
export const findRedisProgram = async (): Promise<Found<{ readonly program: RedisProgram }>> =>
  findFirst('Redis', [
    { name: 'the machine', find: async () => installedProgram() },
    { name: "Debian's packages", find: debianProgram },
  ])

type FoundProgram = { readonly program: RedisProgram } | { readonly missing: string }

async function startFound(found: FoundProgram) {
  return 'missing' in found ? found : startRedis(10_000, found.program)
}

function installedProgram(): FoundProgram {
  const file = onPath('redis-server') ?? onPath('valkey-server')
  if (file === undefined) return { missing: 'no redis-server on the PATH' }
  return { program: (port) => ({ file, args: listenOn(port) }) }
}

async function debianProgram(): Promise<FoundProgram> {
  const folder = join(projectCache, 'redis', `debian-${process.arch}`)
  const file = join(folder, 'redis-server')
  if (!existsSync(folder)) {
    if (onPath('apt-get') === undefined || onPath('dpkg') === undefined) return { missing: 'this is not Debian' }
    await unpackDebianPackages(folder, debianPackages, (unpacked) => {
      copyFileSync(join(unpacked, 'usr', 'bin', 'redis-check-rdb'), join(unpacked, 'redis-server'))
      chmodSync(join(unpacked, 'redis-server'), 0o755)
    })
  }
  if (!isExecutable(file)) return { missing: `${folder} holds no redis-server; remove it to try again` }
  const libraries = readdirSync(join(folder, 'usr', 'lib')).map((name) => join(folder, 'usr', 'lib', name))
  return { program: (port) => ({ file, args: listenOn(port), env: { LD_LIBRARY_PATH: libraries.join(':') } }) }
}

const withoutFiles = ['--save', '', '--appendonly', 'no']
const listenOn = (port: number): readonly string[] => ['--port', String(port), '--bind', '127.0.0.1', ...withoutFiles]

interface Program {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

async function startRedis(limitMs: number, program: RedisProgram): Promise<RedisServer> {
  const port = await freePort()
  const child = await startRedisProcess({ port, limitMs, program })
  return { url: `redis://127.0.0.1:${port}`, stop: async () => void (await child.stop({ limitMs: 5_000 })) }
}

export interface RedisProcessOptions {
  readonly port: number
  readonly program: RedisProgram
  /** Longest start. */
  readonly limitMs: number
}

export function startRedisProcess({ port, program, limitMs }: RedisProcessOptions): Promise<GuardedChild> {
  const answers = async (): Promise<boolean> =>
    (await firstAnswer(port, 'PING\r\n'))?.toString().startsWith('+PONG') ?? false
  return startServerProcess({ ...program(port), ready: answers, limitMs })
}
