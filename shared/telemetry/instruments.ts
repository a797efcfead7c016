// Every metric of Sluice, declared once; docs/metrics.md shows the same list and test/architecture.test.ts compares both ways.
// Label values come from closed sets: no ids, tenants or paths. All carry the label `function`, set as a default label.

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

export type Instruments = ReturnType<typeof createInstruments>

const secondsFast = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const secondsSlow = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60]

export function createInstruments({ function: name }: { readonly function: string }) {
  const registry = new Registry()
  registry.setDefaultLabels({ function: name })
  const registers = [registry]
  const counter = <L extends string>(metric: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name: metric, help, labelNames: [...labelNames], registers })
  const gauge = <L extends string>(metric: string, help: string, labelNames: readonly L[]) =>
    new Gauge({ name: metric, help, labelNames: [...labelNames], registers })
  const histogramWith =
    (buckets: number[]) =>
    <L extends string>(metric: string, help: string, labelNames: readonly L[]) =>
      new Histogram({ name: metric, help, labelNames: [...labelNames], buckets, registers })
  const fast = histogramWith(secondsFast)
  const slow = histogramWith(secondsSlow)
  return {
    registry,
    /** Node's own metrics (event loop, heap, GC). Not in tests that create many instances. */
    collectNodeMetrics: () => collectDefaultMetrics({ register: registry }),
    // lifecycle
    startupSeconds: slow('service_startup_seconds', 'Seconds from process start to ready', []),
    shutdownSeconds: slow('service_shutdown_seconds', 'Seconds from the stop signal to the end of the drain', []),
    readinessLastSuccess: gauge(
      'readiness_last_success_timestamp',
      'Epoch seconds of the last successful readiness probe round',
      [],
    ),
    workerHeartbeat: gauge(
      'worker_last_heartbeat_timestamp',
      'Epoch seconds of the last heartbeat of the event loop',
      [],
    ),
    // receiver
    eventsReceived: counter(
      'sluice_events_received_total',
      'Requests that carried an event, by outcome of the receiver',
      ['outcome'],
    ),
    receiveSeconds: fast('sluice_receive_seconds', 'Seconds from the head of an event request to its answer', []),
    // http functions
    httpRequests: counter('sluice_http_requests_total', 'Requests to an HTTP function, by status class', ['status']),
    httpSeconds: fast('sluice_http_request_seconds', 'Seconds from request to answer of an HTTP function', []),
    streamsOpen: gauge('sluice_streams_open', 'Server-sent event streams open now', []),
    // delivery
    deliveries: counter('sluice_deliveries_total', 'Decisions of delivery about an event', ['outcome']),
    runSeconds: slow('sluice_run_seconds', 'Seconds a handler ran', ['outcome']),
    attempts: counter('sluice_attempts_total', 'Runs of events, by how they ended', ['outcome']),
    inboxDuplicates: counter('sluice_inbox_duplicates_total', 'Events absorbed because their id was already taken', []),
    deadLetters: counter('sluice_dead_letters_total', 'Events that became dead letters', ['cause']),
    outboxPublished: counter('sluice_outbox_published_total', 'Outbox rows published, by the path that did it', [
      'path',
    ]),
    outboxFailures: counter('sluice_outbox_publish_failures_total', 'Publish attempts that failed', []),
    lanesTaken: counter('sluice_lanes_taken_total', 'Lanes the driver took, by how the run ended for the driver', [
      'outcome',
    ]),
    parkedEvents: gauge('sluice_parked_events', 'Events that wait in lanes, by the function they are for', [
      'function',
    ]),
    parkedOldest: gauge(
      'sluice_parked_oldest_seconds',
      'Age of the event that has waited longest in a lane; 0 when none waits',
      ['function'],
    ),
    lanesHeld: gauge('sluice_lanes_held', 'Lanes that wait for a person', ['function']),
    lanesWaiting: gauge('sluice_lanes_waiting', 'Lanes that wait for a dependency whose breaker is open', ['function']),
    // resilience, model, tools
    breakerState: gauge('sluice_breaker_state', '0 closed, 1 half open, 2 open', ['dependency']),
    breakerRejections: counter(
      'sluice_breaker_rejections_total',
      'Calls refused by an open breaker or a full bulkhead',
      ['dependency'],
    ),
    outboundSeconds: slow('sluice_outbound_seconds', 'Seconds of a call to a dependency', ['dependency', 'outcome']),
    modelSeconds: slow('sluice_model_seconds', 'Seconds of a model call', ['outcome']),
    modelTokens: counter('sluice_model_tokens_total', 'Tokens accounted by the model', ['direction']),
    toolCalls: counter('sluice_tool_calls_total', 'Tool calls, by outcome', ['outcome']),
    turns: counter('sluice_turns_total', 'Turns ended, by outcome', ['outcome']),
    // memory
    memoryWalLag: gauge(
      'memory_wal_lag_seconds',
      'Age of the oldest memory write that the replica lacks; 0 when it has all',
      [],
    ),
    memoryWalFaults: counter(
      'sluice_memory_wal_faults_total',
      'Memory writes that the replica refused, by what is wrong with their stream',
      ['fault'],
    ),
    memoryStreamsStopped: gauge('sluice_memory_streams_stopped', 'Memories whose replication waits for a person', []),
    memoryRowsFolded: counter(
      'sluice_memory_rows_folded_total',
      'Superseded rows that compaction removed from the replica',
      [],
    ),
    memoryWritesWaiting: gauge(
      'sluice_memory_writes_waiting',
      'Memory writes that have not reached memory-service yet',
      [],
    ),
    memoryWrites: counter(
      'sluice_memory_writes_total',
      'Tries to send a memory write, by outcome: sent, retried or dead',
      ['outcome'],
    ),
    memoryRecalls: counter(
      'sluice_memory_recalls_total',
      'Turns that asked for memories, by outcome: found, none or unavailable',
      ['outcome'],
    ),
    // reconciliation
    reconciliationOffenders: gauge(
      'sluice_reconciliation_offenders',
      'Rows that break what must always hold between inbox, lanes, dead letters, outbox and log, by check',
      ['check'],
    ),
    reconciliationLastSuccess: gauge(
      'sluice_reconciliation_last_success_timestamp',
      'Epoch seconds of the last reconciliation that could read everything',
      [],
    ),
  }
}
