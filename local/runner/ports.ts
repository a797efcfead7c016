// Ports for the processes of one platform. They stay the same over restarts, because the KafkaSource twins and the lane driver
// keep the URLs. Taken below the range from which systems give ports to outgoing connections (Linux: 32768 and up), so
// that none is lost while its process is away.

import { once } from 'node:events'
import { createServer } from 'node:net'
import { SluiceError } from '../../shared/errors/index.ts'

const lowest = 20_000
const count = 12_000

/** `wanted` ports of 127.0.0.1 on which nothing listens now. */
export async function allotPorts(wanted: number, random: () => number = Math.random): Promise<readonly number[]> {
  const ports: number[] = []
  const first = Math.floor(random() * count)
  for (let step = 0; step < count && ports.length < wanted; step += 1) {
    const port = lowest + ((first + step) % count)
    if (await isFree(port)) ports.push(port)
  }
  if (ports.length === wanted) return ports
  throw new SluiceError('port_taken', `There are no ${wanted} free ports between ${lowest} and ${lowest + count}`)
}

export async function isFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
