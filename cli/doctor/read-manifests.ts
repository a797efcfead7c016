// From files, folders or standard input to manifests. What is not YAML is a finding, not the end: the other documents are read.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { LineCounter, parseAllDocuments, type Document } from 'yaml'
import { messageOf, SluiceError } from '../../shared/errors/index.ts'
import { isObject, listAt, manifestOf, type Manifest } from './manifest.ts'
import type { Finding } from './rule.ts'

export interface ManifestsRead {
  readonly files: number
  readonly manifests: readonly Manifest[]
  /** Under the rule `unreadable`. */
  readonly findings: readonly Finding[]
}

/** @throws SluiceError `invalid_option` for a path that is not there. */
export function readManifests(paths: readonly string[], standardInput: () => string): ManifestsRead {
  const files = paths.flatMap((path) => (path === '-' ? [path] : filesIn(path)))
  const texts = files.map((file) =>
    file === '-' ? { file: '<stdin>', text: standardInput() } : { file, text: readFileSync(file, 'utf8') },
  )
  const parts = texts.map(({ file, text }) => parseManifests(file, text))
  return {
    files: files.length,
    manifests: parts.flatMap(({ manifests }) => manifests),
    findings: parts.flatMap(({ findings }) => findings),
  }
}

function filesIn(path: string): readonly string[] {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) throw new SluiceError('invalid_option', `${path}: there is no such file or folder`)
  if (!stats.isDirectory()) return [path]
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:ya?ml|json)$/.test(name))
    .map((name) => join(path, name))
    .toSorted()
}

export function parseManifests(file: string, text: string): Pick<ManifestsRead, 'manifests' | 'findings'> {
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { lineCounter: lines })
  const documents: readonly Document[] = Array.isArray(parsed) ? parsed : []
  const findings: Finding[] = []
  const manifests: Manifest[] = []
  const unreadable = (offset: number, message: string): void => {
    const { line, col: column } = lines.linePos(offset)
    findings.push({
      rule: 'unreadable',
      level: 'error',
      place: { file, line, column },
      object: '',
      message: `not valid YAML: ${message.split('\n')[0] ?? ''}`,
      remedy: text.includes('{{')
        ? 'a Helm template is no manifest yet: helm template … | sluice doctor -'
        : 'kubectl refuses it, too',
    })
  }
  for (const [document, node] of documents.entries()) {
    const [error] = node.errors
    if (error !== undefined) unreadable(error.pos[0], error.message)
    else
      try {
        manifests.push(...objectsOf(node, { file, document, lines }))
      } catch (error) {
        unreadable(node.range?.[0] ?? 0, messageOf(error)) // aliases that multiply
      }
  }
  return { manifests, findings }
}

function objectsOf(
  node: Document,
  origin: { readonly file: string; readonly document: number; readonly lines: LineCounter },
): readonly Manifest[] {
  const value: unknown = node.toJS()
  if (!isObject(value) || typeof value['kind'] !== 'string') return []
  if (value['kind'] !== 'List') return [manifestOf(value, { ...origin, node, within: [] })]
  return listAt(value, ['items']).flatMap((item, at) =>
    isObject(item) ? [manifestOf(item, { ...origin, node, within: ['items', at] })] : [],
  )
}
