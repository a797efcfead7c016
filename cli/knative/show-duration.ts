// Durations as people read them.

const unitMs = { d: 86_400_000, h: 3_600_000, min: 60_000, s: 1_000 } as const

/** Exact: `29 s`, `1 h 30 s`, `1.5 s`, `250 ms`. */
export function showMs(ms: number): string {
  if (ms !== 0 && ms < 1_000) return `${ms} ms`
  const parts: string[] = []
  let left = ms
  for (const [unit, size] of Object.entries(unitMs)) {
    const count = unit === 's' ? left / size : Math.floor(left / size)
    if (count > 0) parts.push(`${count} ${unit}`)
    left -= count * size
  }
  return parts.length === 0 ? '0 s' : parts.join(' ')
}
