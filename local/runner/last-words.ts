// What a process said last about its end: the error, and not what Node prints around it.

const kept = 40
const isError = /^(?:Uncaught )?(?:[A-Z]\w*)?(?:Error|Exception)(?: \[\w+\])?: /
/** Node's own last lines, and those of a stack or of an error's properties. */
const isAround = /^(?:Node\.js v\d|\s+at |\s+\w+: |[{}\])\s]*$|\(Use `node )/

export interface LastWords {
  hear(line: string): void
  /** Empty when nothing was said. */
  text(): string
}

export function createLastWords(): LastWords {
  const lines: string[] = []
  return {
    hear: (line) => {
      if (line.trim() === '') return
      if (lines.push(line) > kept) lines.shift()
    },
    text: () => lines.findLast((line) => isError.test(line)) ?? lines.findLast((line) => !isAround.test(line)) ?? '',
  }
}
