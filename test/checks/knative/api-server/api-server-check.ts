import type { KnativeCheck } from '../knative-check.ts'

export const apiServerCheck: KnativeCheck = {
  name: 'a real API server',
  least: 1,
  what: 'objects',
  run: () => Promise.resolve({ skipped: 'soon' }),
}
