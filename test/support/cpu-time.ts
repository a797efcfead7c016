// How much of a processor a piece of work takes. Unlike a clock it does not count what else the machine does meanwhile.

/** Milliseconds of this process: of `work`, and of whatever else runs in it at the same time. */
export function cpuMsOf(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}
