// Requests that a page of the web makes through the browser of the machine on which a process runs. A page whose name was made to
// resolve to 127.0.0.1 (DNS rebinding) may send what it likes to every port there and read the answer, since to the browser it is
// at home. But it names that name: in Host, and with everything but a plain GET in Origin.

import type { IncomingHttpHeaders } from 'node:http'

type Named = Pick<IncomingHttpHeaders, 'host' | 'origin'>

const loopbackName = /^(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i

/** Whether the request was meant for this machine by one of its own names. No browser leaves Host out. */
export const namesThisMachine = ({ host }: Named): boolean => host === undefined || loopbackName.test(host)

/**
 * Whether the request comes from a page of the address that it goes to. Where no pages are served there is none, so its name was
 * made to lead here. An Origin alone says nothing: a KafkaSource sends every header of a record along.
 */
export const isFromOwnPage = ({ host, origin }: Named): boolean =>
  origin !== undefined && host !== undefined && (origin === `http://${host}` || origin === `https://${host}`)
