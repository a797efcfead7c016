// The arithmetic of delivery on Knative: what a KafkaSource's delivery section comes to, and whether it fits what is behind it.
// Pure. `sluice render` proves our own manifests with it and `sluice doctor` anybody's; docs/kafka-source.md has the facts.
//
// B1  Lowered as the data plane does it: the rules come from the twin of the KafkaSource, which captures of the real one pin.
// B2  A proof says its numbers whether it holds or not.

import { linearRetriesFor, retryDelayMs, type DeliveryRules } from '../../local/kafka-source/index.ts'
import { knativeLimits } from './knative-limits.ts'
import { showMs } from './show-duration.ts'

export interface RetryWindow {
  /** Tries again that really happen: none where the delay is below a millisecond (K12). */
  readonly retries: number
  /** Sum of all delays: how long everything behind may be away before the source gives a record up, when refusals are quick. */
  readonly windowMs: number
  readonly longestDelayMs: number
  /** The window when no try is answered at all: what a record takes to its dead letter sink at worst. */
  readonly worstWindowMs: number
  /** The dead letter sink is tried by the same rules: what one record can hold its partition (or place) at worst. */
  readonly worstBlockMs: number
}

export function retryWindow(rules: DeliveryRules): RetryWindow {
  const retries = retryDelayMs(rules, 1) < 1 ? 0 : rules.retries
  let windowMs = 0
  for (let failures = 1; failures <= retries; failures += 1) windowMs += retryDelayMs(rules, failures)
  const worstWindowMs = windowMs + (retries + 1) * rules.timeoutMs
  return {
    retries,
    windowMs,
    longestDelayMs: retries === 0 ? 0 : retryDelayMs(rules, retries),
    worstWindowMs,
    worstBlockMs: rules.deadLetterUri === undefined ? worstWindowMs : worstWindowMs * 2,
  }
}

export type ProofName = 'acceptance' | 'outage' | 'retention' | 'inbox' | 'run' | 'head start' | 'idle' | 'drain'

export interface Proof {
  readonly name: ProofName
  readonly holds: boolean
  /** With the numbers, such as `acceptance 29 s < delivery timeout 30 s`. */
  readonly claim: string
  /** What to change when it does not hold. */
  readonly remedy: string
}

export interface SourceFacts {
  readonly rules: DeliveryRules
  /** Longest time from the request of the source to its answer. */
  readonly acceptanceMs: number
  /** How long everything behind the source may be away without an event being given up. */
  readonly outageMs: number
  /** How long the topic keeps a record. */
  readonly retentionMs: number
  /** How long the receiver knows an event again; what is older it does not take. */
  readonly inboxMs?: number
}

export function proveSource(facts: SourceFacts): readonly Proof[] {
  const { rules, acceptanceMs, outageMs, retentionMs, inboxMs } = facts
  const { retries, windowMs, worstBlockMs } = retryWindow(rules)
  return [
    {
      name: 'acceptance',
      holds: acceptanceMs < rules.timeoutMs,
      claim: `acceptance ${showMs(acceptanceMs)} < delivery timeout ${showMs(rules.timeoutMs)}`,
      remedy:
        'raise source.timeoutMs, or lower delivery.timeoutMs: a request that is given up runs on beside its repeat',
    },
    {
      name: 'outage',
      holds: windowMs >= outageMs,
      claim: `retry window ${showMs(windowMs)} (${retries} retries) ≥ outage budget ${showMs(outageMs)}`,
      remedy: `more retries: linear, ${linearRetriesFor(outageMs, Math.max(1, rules.backoffDelayMs))} at this delay`,
    },
    {
      name: 'retention',
      holds: worstBlockMs < retentionMs,
      claim: `worst head-of-line block ${showMs(worstBlockMs)} < topic retention ${showMs(retentionMs)}`,
      remedy:
        'lower source.outageMs, or raise retentionMs of the topic: records behind a blocked one would be removed unread',
    },
    ...(inboxMs === undefined ? [] : [proveInbox(retentionMs + worstBlockMs, inboxMs)]),
  ]
}

const proveInbox = (oldestMs: number, inboxMs: number): Proof => ({
  name: 'inbox',
  holds: oldestMs < inboxMs,
  claim: `oldest event ${showMs(oldestMs)} < memory of the inbox ${showMs(inboxMs)}`,
  remedy:
    'raise SLUICE_INBOX_RETENTION_DAYS, or lower retentionMs of the topic: an event too old to be known is not taken',
})

export interface ServiceFacts {
  /** Longest time from a request to the end of its answer, as the process itself bounds it. */
  readonly longestRunMs: number
  /** How long the caller with the most patience waits, where it is one of ours: the lane driver, a PingSource. */
  readonly callerMs?: number
  readonly revisionTimeoutMs: number
  readonly responseStartTimeoutMs: number
  /** 0: off. */
  readonly idleTimeoutMs: number
  /** Longest time without a byte of an answer, of a stream: to its head, or between two parts. By default the whole run. */
  readonly longestSilenceMs?: number
  /** From SIGTERM to the hard stop of the process. */
  readonly shutdownMs: number
}

export function proveService(facts: ServiceFacts): readonly Proof[] {
  const { longestRunMs, callerMs, revisionTimeoutMs, responseStartTimeoutMs, idleTimeoutMs, shutdownMs } = facts
  const silenceMs = facts.longestSilenceMs ?? longestRunMs
  const drainMs = knativeLimits.drainQuietMs + shutdownMs
  const chain = callerMs === undefined ? [longestRunMs, revisionTimeoutMs] : [longestRunMs, callerMs, revisionTimeoutMs]
  const shown = callerMs === undefined ? '' : ` < caller's patience ${showMs(callerMs)}`
  return [
    {
      name: 'run',
      holds: chain.every((ms, at) => at === 0 || (chain[at - 1] ?? ms) < ms),
      claim: `longest run ${showMs(longestRunMs)}${shown} < revision timeout ${showMs(revisionTimeoutMs)}`,
      remedy: 'lower the longest run: a revision timeout above 600 s needs max-revision-timeout-seconds of the cluster',
    },
    {
      name: 'head start',
      holds: silenceMs < responseStartTimeoutMs,
      claim: `longest silence ${showMs(silenceMs)} < response start timeout ${showMs(responseStartTimeoutMs)}`,
      remedy: 'set responseStartTimeoutSeconds: unset, Knative fills in 300 and cuts a silent handler there',
    },
    {
      name: 'idle',
      holds: idleTimeoutMs === 0 || silenceMs < idleTimeoutMs,
      claim:
        idleTimeoutMs === 0
          ? 'no idle timeout'
          : `longest silence ${showMs(silenceMs)} < idle timeout ${showMs(idleTimeoutMs)}`,
      remedy: 'raise idleTimeoutSeconds above the longest silence, or leave it 0',
    },
    {
      name: 'drain',
      // SIGKILL follows the deletion of the pod by the revision timeout: Knative has no other grace period (K21).
      holds: drainMs < revisionTimeoutMs,
      claim: `drain ${showMs(knativeLimits.drainQuietMs)} + ${showMs(shutdownMs)} = ${showMs(drainMs)} < termination grace ${showMs(revisionTimeoutMs)}`,
      remedy: 'raise timeoutSeconds, which is the grace period too, or lower SHUTDOWN_TIMEOUT_MS',
    },
  ]
}
