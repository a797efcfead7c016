// What a command of `sluice` is: one file in cli/commands, loaded only when it is asked for.

export interface Command {
  /** One line for the list of `sluice --help`. */
  readonly summary: string
  /** Everything `sluice <command> --help` prints: the call, its options, an example. */
  readonly usage: string
  /**
   * Does the work and resolves with the exit code: 0 done, 1 failed, 2 called wrongly. A SluiceError is printed as one line
   * and a parseArgs error with the usage, so a command need not catch either.
   */
  run(args: readonly string[]): Promise<number>
}
