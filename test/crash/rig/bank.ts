// The world outside: a bank that counts. It knows a repeated charge by its idempotency key, as real ones do; it refuses
// sometimes, and sometimes does what it was asked and breaks the connection instead of saying so.

import { createWriteStream } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { readLines } from '../history/history-files.ts'
import type { BankCall } from '../history/history.ts'
import type { SeededRandom } from '../seeded-random.ts'

export interface Bank {
  readonly url: string
  stop(): Promise<void>
}

const nameOf = ({ step, idempotencyKey }: Omit<BankCall, 'applied'>): string => `${step} ${idempotencyKey}`

const refusedShare = 0.005
const silentShare = 0.005

export async function startBank(options: { readonly file: string; readonly random: SeededRandom }): Promise<Bank> {
  const { file, random } = options
  const calls = createWriteStream(file, { flags: 'a' })
  const earlier = readLines(file) as readonly BankCall[]
  const known = new Set(earlier.filter(({ applied }) => applied).map(nameOf))
  const server = createServer((request, response) => {
    const serve = async (): Promise<void> => {
      const call = (await json(request)) as Omit<BankCall, 'applied'>
      const refused = call.step === 'charge' && random.chance(refusedShare)
      const name = nameOf(call)
      calls.write(`${JSON.stringify({ ...call, applied: !refused && !known.has(name) })}\n`)
      if (!refused) known.add(name)
      if (call.step === 'charge' && random.chance(silentShare)) request.socket.resetAndDestroy()
      else response.writeHead(refused ? 503 : 200).end()
    }
    serve().catch(() => request.socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await new Promise<void>((resolve) => calls.end(() => resolve()))
    },
  }
}
