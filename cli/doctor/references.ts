// Where the facts behind the rules are written: this project's own pages, and Knative's documentation and sources at the
// commits that were read.

import type { Reference } from './rule.ts'

/** A number of docs/kafka-source.md. */
export const fact = (number: number): Reference => ({ text: `docs/kafka-source.md K${number}` })

export const knativeDocs = (page: string): Reference => ({
  text: `knative.dev/docs/${page}`,
  url: `https://knative.dev/docs/${page}/`,
})

const source =
  (repository: string, commit: string) =>
  (path: string): Reference => ({
    text: `${repository}: ${path}`,
    url: `https://github.com/${repository}/blob/${commit}/${path}`,
  })

export const serving = source('knative/serving', '98e5ef90a')
export const kafkaBroker = source('knative-extensions/eventing-kafka-broker', '7d8fe89f4')
export const client = source('knative/client', 'e411e8847')

export const issue = (repository: string, number: number): Reference => ({
  text: `${repository}#${number}`,
  url: `https://github.com/${repository}/issues/${number}`,
})
