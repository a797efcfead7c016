// The environment that the user gave, for configuration and for the processes that a command starts.

// oxlint-disable-next-line node/no-process-env -- handed to loadConfig and to children, never read here
export const environment: Readonly<Record<string, string>> = Object.fromEntries(
  // oxlint-disable-next-line node/no-process-env
  Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
)
