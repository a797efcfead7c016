// The closed sets of label values. A label that could hold an id, a tenant, a path or a stranger's text does not exist.

import { errorCodes, type ErrorCode } from '../errors/index.ts'
import { oneOf, type LabelSet } from './metric.ts'
import { traceParts } from './propagation.ts'

const deliveryOutcomes = [
  'done',
  'parked',
  'duplicate',
  'dead',
  'retrying',
  'waiting',
  'held',
  'stale',
  'refused',
] as const

/** What became of a request that carried an event. */
export const receiveOutcomes = [...deliveryOutcomes, 'invalid', 'overloaded', 'draining', 'failed', 'gone'] as const

/** What may be in trouble in the process itself. */
const guards = ['event-loop', 'heap'] as const

const codes = Object.keys(errorCodes) as ErrorCode[]

/** What a breaker or a client is for: one name each, given where it is created. */
export type Dependency =
  | 'model'
  | 'memory-service'
  | 'memory recall'
  | 'memory write'
  | 'function'
  | 'http_fetch'
  | 'jwks'
  | `tool ${string}`

export const labels = {
  receiveOutcome: oneOf(...receiveOutcomes),
  statusClass: oneOf('1xx', '2xx', '3xx', '4xx', '5xx'),
  streamEnding: oneOf('left', 'buffer-full', 'stalled', 'time-up', 'draining', 'failed'),
  shedReason: oneOf('queue', ...guards),
  guard: oneOf(...guards),
  door: oneOf('source', 'lane', 'http'),
  deliveryOutcome: oneOf(...deliveryOutcomes),
  attemptOutcome: oneOf(...deliveryOutcomes, 'given-back'),
  errorCode: { values: codes, text: 'a code of [errors.md](errors.md)' } satisfies LabelSet<ErrorCode>,
  okOrErrorCode: { values: ['ok', ...codes], text: '`ok`, or a code of [errors.md](errors.md)' } satisfies LabelSet<
    'ok' | ErrorCode
  >,
  outboxPath: oneOf('fast', 'relay'),
  laneEnding: oneOf('answered', 'declined', 'unreachable', 'broken', 'abandoned'),
  function: { text: 'a folder of `functions/`' } satisfies LabelSet,
  dependency: {
    text: 'model, memory-service, memory recall, memory write, function, http_fetch, jwks, or `tool` and the name of a tool',
  } as LabelSet<Dependency>,
  rejection: oneOf('open', 'full'),
  callOutcome: oneOf('ok', 'failed'),
  tokenDirection: oneOf('input', 'output'),
  toolOutcome: oneOf('succeeded', 'failed', 'timed_out', 'blocked', 'circuit_open', 'unknown'),
  tool: { text: 'a tool of `functions/tool-executor/tools/`' } satisfies LabelSet,
  turnOutcome: oneOf(
    'completed',
    'model_rate_limited',
    'model_overloaded',
    'model_unavailable',
    'model_timeout',
    'model_context_too_long',
    'model_auth',
    'model_bad_request',
    'model_malformed',
    'model_cut',
    'deadline_exceeded',
    'tool_rounds_exceeded',
    'cancelled',
    'interrupted',
    'turn_running',
    'attempts_exhausted',
    'internal',
  ),
  walFault: oneOf('gap', 'mismatch'),
  memoryWriteOutcome: oneOf('sent', 'retried', 'dead'),
  recallOutcome: oneOf('found', 'none', 'unavailable'),
  reconciliationCheck: oneOf(
    'outbox-position',
    'inbox-lease',
    'inbox-place',
    'lane-head',
    'dead-letter-copy',
    'sequence-hole',
    'log-position',
  ),
  prunedTable: oneOf('outbox', 'outbox_key', 'inbox', 'replay', 'idempotency_key', 'log_record'),
  configResult: oneOf('ok', 'rejected'),
  tracePart: oneOf(...traceParts),
  exportOutcome: oneOf('sent', 'lost'),
} as const
