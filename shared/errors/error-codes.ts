// The closed list of everything that can go wrong, with what it means to a caller. docs/errors.md shows the same list;
// test/architecture/pages.test.ts compares both ways.
//
// `retryable` answers one question: may the same input succeed later without anyone changing it?
// `status` is the HTTP answer where the error ends a request. Only 404, 408, 409, 429 and 5xx are retried by a KafkaSource
// (Knative delivery spec, data-plane.md), so a retryable code never has another 4xx.

export interface ErrorMeaning {
  readonly status: number
  readonly retryable: boolean
  readonly title: string
}

const meaning = (status: number, retryable: boolean, title: string): ErrorMeaning => ({ status, retryable, title })

export const errorCodes = {
  // the request
  invalid_json: meaning(400, false, 'The body is not valid JSON'),
  invalid_encoding: meaning(400, false, 'The body is not valid UTF-8'),
  invalid_character: meaning(422, false, 'A string holds NUL or a lone surrogate'),
  too_complex: meaning(400, false, 'The JSON is nested too deeply or has too many keys'),
  forbidden_key: meaning(400, false, 'The JSON holds a key that could change a prototype'),
  duplicate_key: meaning(400, false, 'The JSON holds the same key twice'),
  number_out_of_range: meaning(422, false, 'A number cannot be represented exactly'),
  invalid_request: meaning(422, false, 'The request does not fit its schema'),
  invalid_parameter: meaning(400, false, 'A path, query or header parameter is not valid'),
  unauthenticated: meaning(401, false, 'The caller did not prove who it is'),
  identity_unavailable: meaning(503, true, 'The keys of the identity provider cannot be had'),
  forbidden: meaning(403, false, 'The caller may not do this'),
  malformed_request: meaning(400, false, 'The request is not valid HTTP'),
  unsupported_media_type: meaning(415, false, 'The content type or encoding is not accepted here'),
  body_too_large: meaning(413, false, 'The body is over the limit'),
  uri_too_long: meaning(414, false, 'The request target is over the limit'),
  headers_too_large: meaning(431, false, 'The header fields are over the limit'),
  request_timeout: meaning(408, true, 'The request did not arrive in time'),
  method_not_allowed: meaning(405, false, 'The method is not allowed on this path'),
  not_found: meaning(404, false, 'There is nothing at this path'),
  gone: meaning(410, false, 'The position asked for is no longer kept'),
  conflict: meaning(409, false, 'The request conflicts with the present state'),
  turn_running: meaning(409, false, 'A turn is running and the message asked not to wait'),
  idempotency_mismatch: meaning(422, false, 'The idempotency key was used with another body'),
  idempotency_running: meaning(409, true, 'The first request with this idempotency key is still running'),
  too_many_streams: meaning(429, true, 'Too many open streams'),
  // events
  ce_invalid: meaning(400, false, 'The event is not a valid CloudEvent'),
  not_cloudevent: meaning(400, false, 'The request is neither a CloudEvent nor a record of a KafkaSource'),
  data_invalid: meaning(400, false, 'The data of the event does not fit its schema'),
  unknown_type: meaning(400, false, 'The function does not consume this type'),
  unknown_topic: meaning(400, false, 'No topic of this name is declared'),
  id_conflict: meaning(409, false, 'The event id was already used with other data'),
  event_too_large: meaning(413, false, 'The event is over what a topic accepts'),
  hop_limit: meaning(422, false, 'The chain of events that led here is too long: a circle'),
  too_old: meaning(410, false, 'The event is older than what is known of done ones'),
  tenant_invalid: meaning(403, false, 'The tenant is missing or does not fit'),
  unknown_request: meaning(404, false, 'The event answers a request that does not exist'),
  // delivery
  retry_later: meaning(503, true, 'The handler asked for a later try'),
  rejected: meaning(422, false, 'The handler rejected the event'),
  handler_failed: meaning(500, true, 'The handler failed'),
  attempts_exhausted: meaning(500, false, 'The event failed as often as its function allows'),
  source_gave_up: meaning(503, false, 'The source of the event gave it up'),
  lane_busy: meaning(503, true, 'The lane of this key is taken'),
  lease_lost: meaning(409, true, 'The lease of this run is no longer held'),
  draining: meaning(503, true, 'The process is shutting down'),
  outbox_full: meaning(503, true, 'As many events wait to be published as may'),
  overloaded: meaning(503, true, 'The process has as much work as it accepts'),
  // dependencies
  database_unavailable: meaning(503, true, 'The database does not answer'),
  database_busy: meaning(503, true, 'What the request needs in the database is taken'),
  database_rejected: meaning(422, false, 'The database refused the value'),
  event_log_unavailable: meaning(503, true, 'The event log does not answer'),
  key_value_unavailable: meaning(503, true, 'The key-value store does not answer'),
  dependency_failed: meaning(502, true, 'A dependency answered with an error'),
  dependency_timeout: meaning(504, true, 'A dependency did not answer in time'),
  circuit_open: meaning(503, true, 'The circuit breaker of a dependency is open'),
  deadline_exceeded: meaning(504, true, 'The deadline passed'),
  aborted: meaning(503, true, 'The work was cancelled'),
  // outbound requests
  blocked_address: meaning(403, false, 'The address is not allowed as a target'),
  blocked_url: meaning(403, false, 'The URL is not allowed as a target'),
  response_too_large: meaning(502, false, 'The answer is over the limit'),
  // tools
  unknown_tool: meaning(404, false, 'There is no tool of this name'),
  tool_disabled: meaning(403, false, 'The tool is switched off for this tenant'),
  invalid_arguments: meaning(422, false, 'The arguments do not fit the schema of the tool'),
  calculation_failed: meaning(422, false, 'The expression cannot be calculated'),
  // the model
  model_rate_limited: meaning(429, true, 'The model refused for now'),
  model_overloaded: meaning(503, true, 'The model is overloaded'),
  model_unavailable: meaning(502, true, 'The model cannot be reached or failed'),
  model_timeout: meaning(504, true, 'The model did not answer in time'),
  model_context_too_long: meaning(422, false, 'The conversation is too long for the model'),
  model_auth: meaning(502, false, 'The model refused the credentials'),
  model_bad_request: meaning(502, false, 'The model refused the request'),
  model_malformed: meaning(502, true, 'The model sent something that is not its protocol'),
  model_cut: meaning(502, true, 'The stream of the model ended before its end'),
  // memory
  replica_behind: meaning(503, true, 'The replica has not reached this position in time'),
  wal_gap: meaning(409, true, 'A write of this memory before this one is missing'),
  wal_mismatch: meaning(409, true, 'A write does not fit the checksums of its memory'),
  // start
  invalid_option: meaning(500, false, 'An option is unknown or has a bad value'),
  invalid_definition: meaning(500, false, 'The contract of a function does not hold together'),
  budget_violated: meaning(500, false, 'A timeout, a retry window or a retention does not fit the others'),
  port_taken: meaning(500, false, 'The port is taken'),
  start_failed: meaning(500, false, 'The process could not start'),
  internal: meaning(500, true, 'Something unexpected went wrong'),
} as const satisfies Record<string, ErrorMeaning>

export type ErrorCode = keyof typeof errorCodes

export const isErrorCode = (code: unknown): code is ErrorCode =>
  typeof code === 'string' && Object.hasOwn(errorCodes, code)
