// What a function does with a request of the lane driver.

import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { laneTokenHeader, type Delivery } from '../../../../shared/delivery/index.ts'
import { decodeHttpEvent } from '../../../../shared/events/index.ts'

export const runOverHttp =
  (delivery: Delivery): RequestListener =>
  (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      const decoded = decodeHttpEvent({ headers: request.headers, body }, { bind: () => undefined })
      assert.ok(decoded.ok)
      void delivery
        .run({ ...decoded, raw: body }, String(request.headers[laneTokenHeader]))
        .then(({ status }) => response.writeHead(status).end())
    })
  }
