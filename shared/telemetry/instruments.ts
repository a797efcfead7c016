// Every metric of Sluice, declared once; docs/metrics.md shows the same list, and test/architecture/pages.test.ts compares both
// ways. Labels take values of closed sets: no ids, tenants or paths. All carry the label `function`, set as a default label.

import { Registry, collectDefaultMetrics, type RegistryContentType } from 'prom-client'
import { buckets } from './buckets.ts'
import { createExposition } from './exposition.ts'
import { labels } from './labels.ts'
import { createKinds } from './metric.ts'

export type Instruments = ReturnType<typeof createInstruments>

/** prom-client calls these gauges `_total`, which is the ending of counters. What they sum up is there by type. */
const misnamedSums = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']

export function createInstruments({ function: name }: { readonly function: string }) {
  const registry = new Registry<RegistryContentType>()
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  const { counter, gauge, histogram } = createKinds(registry)
  return {
    registry: createExposition(registry, { function: name }),
    /** Node's own metrics (event loop, heap, GC). Not in tests that create many instances. */
    collectNodeMetrics: () => {
      collectDefaultMetrics({ register: registry as unknown as Registry })
      for (const sum of misnamedSums) registry.removeSingleMetric(sum)
    },
    // lifecycle
    startupSeconds: histogram('service_startup_seconds', {
      help: 'Seconds from process start to ready',
      labels: {},
      buckets: buckets.start,
    }),
    shutdownSeconds: histogram('service_shutdown_seconds', {
      help: 'Seconds from the stop signal to the end of the drain',
      labels: {},
      buckets: buckets.shutdown,
    }),
    readinessLastSuccess: gauge(
      'readiness_last_success_timestamp',
      'Epoch seconds of the last successful readiness probe round',
      {},
    ),
    workerHeartbeat: gauge(
      'worker_last_heartbeat_timestamp',
      'Epoch seconds of the last heartbeat of the event loop',
      {},
    ),
    // receiver
    eventsReceived: counter(
      'sluice_events_received_total',
      'Requests that carried an event, by outcome of the receiver',
      { outcome: labels.receiveOutcome },
    ),
    receiveSeconds: histogram('sluice_receive_seconds', {
      help: 'Seconds from the head of an event request to its answer',
      labels: {},
      buckets: buckets.answer,
    }),
    // http functions
    httpRequests: counter('sluice_http_requests_total', 'Requests to an HTTP function, by status class', {
      status: labels.statusClass,
    }),
    httpSeconds: histogram('sluice_http_request_seconds', {
      help: 'Seconds from request to answer of an HTTP function',
      labels: {},
      buckets: buckets.answer,
    }),
    streamsOpen: gauge('sluice_streams_open', 'Server-sent event streams open now', {}),
    streamsWaitingBytes: gauge(
      'sluice_streams_waiting_bytes',
      'Bytes that wait for the clients of all open streams to read them',
      {},
    ),
    streamsSlowestBytes: gauge(
      'sluice_streams_slowest_bytes',
      'Bytes that wait for the client that is furthest behind; it is cut at 256 KiB',
      {},
    ),
    streamsEnded: counter('sluice_streams_ended_total', 'Server-sent event streams that ended, by why', {
      cause: labels.streamEnding,
    }),
    // overload
    shed: counter('sluice_shed_total', 'Requests refused early with 503, by what was full', {
      reason: labels.shedReason,
    }),
    overloaded: gauge('sluice_overloaded', '1 while the guard sheds, 0 otherwise', { guard: labels.guard }),
    admissionRunning: gauge('sluice_admission_running', 'Requests that hold a place now', { door: labels.door }),
    admissionWaiting: gauge('sluice_admission_waiting', 'Requests that wait for a place now', { door: labels.door }),
    // delivery
    deliveries: counter('sluice_deliveries_total', 'Decisions of delivery about an event', {
      outcome: labels.deliveryOutcome,
    }),
    runSeconds: histogram('sluice_run_seconds', {
      help: 'Seconds a handler ran',
      labels: { outcome: labels.deliveryOutcome },
      buckets: buckets.run,
    }),
    attempts: counter('sluice_attempts_total', 'Runs of events, by how they ended', { outcome: labels.attemptOutcome }),
    inboxDuplicates: counter('sluice_inbox_duplicates_total', 'Events absorbed because their id was already taken', {}),
    deadLetters: counter('sluice_dead_letters_total', 'Events that became dead letters', { cause: labels.errorCode }),
    outboxPublished: counter('sluice_outbox_published_total', 'Outbox rows published, by the path that did it', {
      path: labels.outboxPath,
    }),
    outboxFailures: counter('sluice_outbox_publish_failures_total', 'Publish attempts that failed', {}),
    outboxPending: gauge('sluice_outbox_pending', 'Outbox rows of all functions that are not published yet', {}),
    outboxOldest: gauge(
      'sluice_outbox_oldest_seconds',
      'Age of the outbox row that has waited longest to be published; 0 when none waits',
      {},
    ),
    lanesTaken: counter('sluice_lanes_taken_total', 'Lanes the driver took, by how the run ended for the driver', {
      outcome: labels.laneEnding,
    }),
    parkedEvents: gauge('sluice_parked_events', 'Events that wait in lanes, by the function they are for', {
      function: labels.function,
    }),
    parkedOldest: gauge(
      'sluice_parked_oldest_seconds',
      'Age of the event that has waited longest in a lane; 0 when none waits',
      { function: labels.function },
    ),
    lanesHeld: gauge('sluice_lanes_held', 'Lanes that wait for a person', { function: labels.function }),
    lanesWaiting: gauge('sluice_lanes_waiting', 'Lanes that wait for a dependency whose breaker is open', {
      function: labels.function,
    }),
    // resilience, model, tools
    breakerState: gauge('sluice_breaker_state', '0 closed, 1 half open, 2 open', { dependency: labels.dependency }),
    breakerOpenings: counter('sluice_breaker_openings_total', 'Times a breaker opened, from closed or from half open', {
      dependency: labels.dependency,
    }),
    breakerRejections: counter('sluice_breaker_rejections_total', 'Calls refused without asking the dependency', {
      dependency: labels.dependency,
      reason: labels.rejection,
    }),
    retries: counter('sluice_retries_total', 'Further tries of a call within the same request', {
      dependency: labels.dependency,
    }),
    outboundSeconds: histogram('sluice_outbound_seconds', {
      help: 'Seconds of a call to a dependency',
      labels: { dependency: labels.dependency, outcome: labels.callOutcome },
      buckets: buckets.call,
    }),
    modelSeconds: histogram('sluice_model_seconds', {
      help: 'Seconds of a model call',
      labels: { outcome: labels.okOrErrorCode },
      buckets: buckets.model,
    }),
    modelTokens: counter('sluice_model_tokens_total', 'Tokens accounted by the model', {
      direction: labels.tokenDirection,
    }),
    toolCalls: counter('sluice_tool_calls_total', 'Tool calls, by outcome', { outcome: labels.toolOutcome }),
    toolSeconds: histogram('sluice_tool_seconds', {
      help: 'Seconds a tool ran',
      labels: { tool: labels.tool, outcome: labels.toolOutcome },
      buckets: buckets.call,
    }),
    turns: counter('sluice_turns_total', 'Turns ended, by outcome', { outcome: labels.turnOutcome }),
    // memory
    memoryWalLag: gauge(
      'memory_wal_lag_seconds',
      'Age of the oldest memory write that the replica lacks; 0 when it has all',
      {},
    ),
    memoryWalFaults: counter(
      'sluice_memory_wal_faults_total',
      'Memory writes that the replica refused, by what is wrong with their stream',
      { fault: labels.walFault },
    ),
    memoryStreamsStopped: gauge('sluice_memory_streams_stopped', 'Memories whose replication waits for a person', {}),
    memoryRowsFolded: counter(
      'sluice_memory_rows_folded_total',
      'Superseded rows that compaction removed from the replica',
      {},
    ),
    memoryWritesWaiting: gauge(
      'sluice_memory_writes_waiting',
      'Memory writes that have not reached memory-service yet',
      {},
    ),
    memoryWrites: counter('sluice_memory_writes_total', 'Tries to send a memory write, by outcome', {
      outcome: labels.memoryWriteOutcome,
    }),
    memoryRecalls: counter('sluice_memory_recalls_total', 'Turns that asked for memories, by outcome', {
      outcome: labels.recallOutcome,
    }),
    // pruning
    rowsPruned: counter('sluice_rows_pruned_total', 'Rows that had done their work and were removed, by table', {
      table: labels.prunedTable,
    }),
    // reconciliation
    reconciliationOffenders: gauge(
      'sluice_reconciliation_offenders',
      'Rows that break what must always hold between inbox, lanes, dead letters, outbox and log, by check',
      { check: labels.reconciliationCheck },
    ),
    reconciliationLastSuccess: gauge(
      'sluice_reconciliation_last_success_timestamp',
      'Epoch seconds of the last reconciliation that could read everything',
      {},
    ),
    // traces
    badTraceContexts: counter(
      'sluice_bad_trace_contexts_total',
      'Events and requests whose trace context was malformed and ignored, by the first such part',
      { part: labels.tracePart },
    ),
    spans: counter('sluice_spans_total', 'Spans handed to the collector, by outcome', {
      outcome: labels.exportOutcome,
    }),
    // configuration and policy
    configUpdates: counter('config_update_apply_total', 'Configuration versions that an instance took or refused', {
      result: labels.configResult,
    }),
    policyLatency: histogram('policy_decision_latency_seconds', {
      help: 'Seconds from a question of policy to its decision',
      labels: {},
      buckets: buckets.decision,
    }),
  }
}
