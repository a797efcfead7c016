// The names of metrics in a PromQL expression: what is left when strings, selectors, ranges, groupings and functions are gone.

const words = new Set('by without on ignoring group_left group_right and or unless offset bool inf nan'.split(' '))

export function metricsIn(expression: string): readonly string[] {
  const bare = expression
    .replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '')
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, '')
    .replaceAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, '')
  const names = [...bare.matchAll(/(?<![a-zA-Z0-9_:.])[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\(|[a-zA-Z0-9_:])/g)].map(
    ([name]) => name,
  )
  return [...new Set(names.filter((name) => !words.has(name.toLowerCase())))]
}
