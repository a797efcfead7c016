// What a check is: it reads something and judges it. A check that read too little has failed, whatever it found: a wrong glob or
// a tool that cannot parse the sources would otherwise be content for ever.

export interface Check {
  readonly name: string
  /** The least it must have read, in `what`, to be believed. */
  readonly least: number
  readonly what: string
  run(root: string): Promise<Findings>
}

export interface Findings {
  readonly passed: boolean
  readonly read: number
  /** Shown when the check failed. */
  readonly output: string
}

export interface Verdict extends Findings {
  readonly name: string
  readonly what: string
  readonly ms: number
}

export async function judge(check: Check, root: string): Promise<Verdict> {
  const started = performance.now()
  const findings = await check.run(root).catch((error: unknown) => ({ passed: false, read: 0, output: String(error) }))
  const tooLittle = findings.passed && findings.read < check.least
  return {
    ...findings,
    name: check.name,
    what: check.what,
    ms: performance.now() - started,
    ...(tooLittle
      ? {
          passed: false,
          output: `read ${findings.read} ${check.what}, and at least ${check.least} were expected: is it looking in the right place?\n${findings.output}`,
        }
      : {}),
  }
}
