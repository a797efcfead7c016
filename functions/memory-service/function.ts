// Contract of memory-service.

import { memoryRecordWritten, topics } from '../../shared/events/index.ts'
import { defineHttpFunction } from '../../shared/function/index.ts'

export const memoryService = defineHttpFunction({
  name: 'memory-service',
  purpose: 'Keeps what conversations should remember, and finds it again',
  produces: [{ topic: topics.memoryWal, type: memoryRecordWritten }],
  needs: ['postgres'],
  uses: ['memory'],
  scale: { min: 1, max: 10, concurrency: 100 },
})
