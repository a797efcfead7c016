// NOTIFY channels of delivery. Sent after COMMIT, never in a handler's transaction (NOTIFY serialises commits), and only to save
// time: whoever listens also looks by itself.

/** Lanes became due; the payload is the function. */
export const laneChannel = 'sluice_lane'

/** Rows wait in the outbox which their own process cannot publish. */
export const outboxChannel = 'sluice_outbox'
