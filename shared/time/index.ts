export { backoffDelay, type BackoffOptions } from './backoff.ts'
export { sleepOn, systemClock, type Clock, type Timer } from './clock.ts'
export { createDeadline, type Deadline, type DeadlineOptions } from './deadline.ts'
