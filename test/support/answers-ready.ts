// Whether a process calls itself ready.

/** @throws while nothing answers within two seconds. */
export async function answersReady(readyUrl: string): Promise<boolean> {
  const response = await fetch(readyUrl, { signal: AbortSignal.timeout(2_000) })
  await response.arrayBuffer()
  return response.ok
}
