// Short answers: JSON, and errors as the protocol writes them.

import type { ServerResponse } from 'node:http'

export function sendError(
  response: ServerResponse,
  {
    status,
    message,
    code = null,
  }: { readonly status: number; readonly message: string; readonly code?: string | null },
): void {
  const type = status < 500 ? 'invalid_request_error' : 'server_error'
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ error: { message, type, param: null, code } }))
}

export const sendJson = (response: ServerResponse, body: object): void =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
