// A script of rules for tests: in YAML, ordered, the first that fits answers. Read strictly: a misspelt key would make a
// test pass for the wrong reason.

import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { SluiceError, messageOf } from '../../shared/errors/index.ts'

export interface WhenCondition {
  /** Regular expression, without regard to case, on what the person said last. */
  readonly message?: string
  /** Tool rounds before this request in its turn: 0 is the first request. */
  readonly round?: number
  readonly model?: string
  readonly session?: string
  readonly turn?: string
}

export interface ThenAction {
  /** Wait before anything is answered, in milliseconds. Alone: the usual answer, late. */
  readonly delay_ms?: number
  /** Pause between two pieces of the answer, in milliseconds. */
  readonly token_delay_ms?: number
  /** Answer with this status instead; `headers` and `body` belong to it. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** JSON, or a text sent as it is. Default: an error object of the protocol. */
  readonly body?: unknown
  readonly text?: string
  readonly tool_calls?: readonly {
    readonly name: string
    readonly id?: string
    readonly arguments?: string | Readonly<Record<string, unknown>>
  }[]
  readonly finish_reason?: string
  /** Accept the request and never answer; `hang_after`: fall silent after so many pieces of the answer. */
  readonly hang?: boolean
  readonly hang_after?: number
  /** Break the connection after so many pieces of the answer. */
  readonly cut_after?: number
  /** Something that is not the protocol. */
  readonly garbage?: 'html' | 'json' | 'bytes' | 'chunk'
}

export interface Rule {
  /** Shown in the ledger. Default: its place, from 1. */
  readonly name?: string
  readonly when?: WhenCondition
  readonly then: ThenAction
  /** How often the rule answers before it is passed over. Default: always. */
  readonly times?: number
}

export interface Script {
  readonly rules: readonly Rule[]
}

/** @throws SluiceError `invalid_option` naming the place. */
export function parseScript(text: string): Script {
  let script: unknown
  try {
    script = parse(text) ?? { rules: [] }
  } catch (error) {
    throw invalid(messageOf(error))
  }
  if (!validate(script)) {
    const [problem] = validate.errors ?? []
    throw invalid(`${problem?.instancePath ?? ''} ${problem?.message ?? ''} ${JSON.stringify(problem?.params ?? {})}`)
  }
  for (const { when } of script.rules) expression(when?.message)
  return script
}

export interface Asked {
  readonly message: string
  readonly round: number
  readonly model: string
  readonly session: string
  readonly turn: string
}

export interface Prompter {
  /** The first rule that fits and is not used up; it is used once by this call. */
  ruleFor(asked: Asked): { readonly name: string; readonly action: ThenAction } | undefined
}

export function createPrompter({ rules }: Script): Prompter {
  const left = rules.map(({ times = Number.POSITIVE_INFINITY }) => times)
  return {
    ruleFor: (asked) => {
      const place = rules.findIndex((rule, index) => (left[index] ?? 0) > 0 && fits(rule, asked))
      const rule = rules[place]
      if (rule === undefined) return undefined
      left[place] = (left[place] ?? 1) - 1
      return { name: rule.name ?? String(place + 1), action: rule.then }
    },
  }
}

const fits = ({ when = {} }: Rule, asked: Asked): boolean =>
  (when.message === undefined || expression(when.message).test(asked.message)) &&
  (['round', 'model', 'session', 'turn'] as const).every((key) => when[key] === undefined || when[key] === asked[key])

function expression(source = ''): RegExp {
  try {
    return new RegExp(source, 'iu')
  } catch (error) {
    throw invalid(messageOf(error))
  }
}

const invalid = (what: string): SluiceError =>
  new SluiceError('invalid_option', `the script of the rehearsal model: ${what}`)

const count = { type: 'integer', minimum: 0 } as const
const text = { type: 'string' } as const
const closed = { type: 'object', additionalProperties: false } as const

const schema = {
  ...closed,
  required: ['rules'],
  properties: {
    rules: {
      type: 'array',
      items: {
        ...closed,
        required: ['then'],
        properties: {
          name: text,
          times: count,
          when: { ...closed, properties: { message: text, round: count, model: text, session: text, turn: text } },
          // oxlint-disable-next-line unicorn/no-thenable -- the key of the script's format
          then: {
            ...closed,
            minProperties: 1,
            properties: {
              delay_ms: count,
              token_delay_ms: count,
              status: { type: 'integer', minimum: 200, maximum: 599 },
              headers: { type: 'object', additionalProperties: text },
              body: {},
              text,
              tool_calls: {
                type: 'array',
                items: {
                  ...closed,
                  required: ['name'],
                  properties: { name: text, id: text, arguments: { anyOf: [{ type: 'string' }, { type: 'object' }] } },
                },
              },
              finish_reason: text,
              hang: { type: 'boolean' },
              hang_after: count,
              cut_after: count,
              garbage: { enum: ['html', 'json', 'bytes', 'chunk'] },
            },
          },
        },
      },
    },
  },
}

const validate = new Ajv({ allErrors: false }).compile<Script>(schema)
