// Contract of memory-sync.

import { defineFunction } from '../../shared/function/index.ts'

export const memorySync = defineFunction({
  name: 'memory-sync',
  purpose: 'Sends memory writes that could not reach memory-service when they were made',
  schedule: '* * * * *',
  budgetMs: 45_000,
  needs: ['postgres'],
  uses: ['memory'],
  scale: { min: 0, max: 5, concurrency: 10 },
})
