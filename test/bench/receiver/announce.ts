// Tells the benchmark which port a server has.

import type { AddressInfo, Server } from 'node:net'

export const announce = (server: Server): void =>
  void server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
