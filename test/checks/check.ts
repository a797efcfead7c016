// What a check is: it reads something and judges it. A check that read too little has failed, whatever it found: a wrong glob or
// a tool that cannot parse the sources would otherwise be content for ever. One that cannot run here says why; it has not passed.

export interface Check {
  readonly name: string
  /** The least it must have read, in `what`, to be believed. */
  readonly least: number
  readonly what: string
  run(root: string): Promise<Findings | Skipped>
}

export interface Findings {
  readonly passed: boolean
  readonly read: number
  /** Shown when the check failed. */
  readonly output: string
}

export interface Skipped {
  /** Why it cannot run on this machine. */
  readonly skipped: string
}

export interface Verdict extends Findings {
  readonly ms: number
}

export const isSkipped = (value: unknown): value is Skipped =>
  typeof value === 'object' && value !== null && 'skipped' in value

export async function judge(check: Check, root: string): Promise<Verdict | Skipped> {
  const started = performance.now()
  const found = await check.run(root).catch((error: unknown) => ({ passed: false, read: 0, output: String(error) }))
  if (isSkipped(found)) return found
  const ms = performance.now() - started
  if (!found.passed || found.read >= check.least) return { ...found, ms }
  const expected = `read ${found.read} ${check.what}, and at least ${check.least} were expected: is it looking in the right place?`
  return { passed: false, read: found.read, output: `${expected}\n${found.output}`, ms }
}
