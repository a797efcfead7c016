// What travels in one NOTIFY: a pack of messages of channels that share a lane. A body too long to travel is named by the id
// of its row.
//
// Postgres drops a notification equal to another of the same transaction, so each pack has a number of its own.

import { createHash } from 'node:crypto'
import { notifyPayloadBytes } from '../../database/index.ts'

export type Body = { readonly text: string } | { readonly id: string }

export interface Item {
  readonly channel: string
  readonly body: Body
}

export interface Pack {
  /** The Postgres channel. */
  readonly lane: string
  readonly payload: string
}

/** More lanes: fewer messages for others reach a process. Fewer lanes: fewer LISTENs. Every process must count alike. */
const lanes = 64

/** Channel names are many and long; Postgres channels are few and short. */
export function laneOf(channel: string): string {
  const hash = createHash('sha1').update(channel).digest()
  return `sluice_channel_${hash.readUInt32BE(0) % lanes}`
}

type Encoded = readonly [channel: string, text: string | null, id?: string]

const encode = ({ channel, body }: Item): string =>
  JSON.stringify(
    'text' in body ? ([channel, body.text] satisfies Encoded) : ([channel, null, body.id] satisfies Encoded),
  )

/** Room for the brackets and the number around the items. */
const envelopeBytes = 32

export const fits = (item: Item): boolean => Buffer.byteLength(encode(item)) + envelopeBytes <= notifyPayloadBytes

/** Packs the items of each lane, in order. `number` gives a new number for each pack. */
export function packItems(items: readonly Item[], number: () => number): readonly Pack[] {
  const packs: Pack[] = []
  const open = new Map<string, { readonly texts: string[]; bytes: number }>()
  const close = (lane: string): void => {
    const texts = open.get(lane)?.texts ?? []
    if (texts.length > 0) packs.push({ lane, payload: `[${number()},${texts.join(',')}]` })
    open.delete(lane)
  }
  for (const item of items) {
    const lane = laneOf(item.channel)
    const text = encode(item)
    const bytes = Buffer.byteLength(text) + 1
    if ((open.get(lane)?.bytes ?? envelopeBytes) + bytes > notifyPayloadBytes) close(lane)
    const pack = open.get(lane) ?? { texts: [], bytes: envelopeBytes }
    pack.texts.push(text)
    pack.bytes += bytes
    open.set(lane, pack)
  }
  for (const lane of open.keys()) close(lane)
  return packs
}

/** Empty for a payload that is not a pack: other software may notify on any channel. */
export function unpackItems(payload: string): readonly Item[] {
  const pack = parse(payload)
  if (!Array.isArray(pack)) return []
  return pack.flatMap((entry: unknown): readonly Item[] => {
    if (!Array.isArray(entry)) return []
    const [channel, text, id] = entry as unknown[]
    if (typeof channel !== 'string') return []
    if (typeof text === 'string') return [{ channel, body: { text } }]
    return typeof id === 'string' ? [{ channel, body: { id } }] : []
  })
}

function parse(payload: string): unknown {
  try {
    return JSON.parse(payload)
  } catch {
    return undefined
  }
}
