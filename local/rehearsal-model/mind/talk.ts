// Conversation without tools: it introduces itself in the persona's name, remembers what the person said about
// themselves, and says what it can do.

import type { ChatMessage, ChatRequest, OfferedTool } from '../chat-request.ts'

export function talk({ messages, tools }: ChatRequest): string {
  const spoken = messages.filter((message) => message.role === 'user').map(({ content }) => content)
  const said = spoken.at(-1) ?? ''
  const before = spoken.slice(0, -1)
  return (
    recall(said, [...rememberedIn(messages), ...before]) ??
    noteFact(said) ??
    aboutConversation(said, before) ??
    courtesy(said, messages, tools) ??
    `I am only a rehearsal model, so I have no clever answer to that. ${abilities(tools)} For everything else, MODEL_BASE_URL connects a real model.`
  )
}

/** `my favourite colour is blue` → favourite colour: blue. */
const factPattern = /\bmy ([\p{L}][\p{L} ]{0,40}?) (?:is|are) (?!not\b)([^.,;!?\n]{1,80})/iu
const namePattern = /\b(?:i am|i'm|call me|this is) (\p{Lu}[\p{L}'-]*(?: \p{Lu}[\p{L}'-]*)?)/iu

interface Fact {
  readonly what: string
  readonly value: string
}

function factIn(text: string): Fact | undefined {
  if (/\?\s*$/.test(text)) return undefined
  const fact = factPattern.exec(text)
  if (fact?.[1] !== undefined && fact[2] !== undefined)
    return { what: fact[1].toLowerCase().trim(), value: fact[2].trim() }
  const name = namePattern.exec(text)?.[1]
  return name === undefined || !/^\p{Lu}/u.test(name) ? undefined : { what: 'name', value: name }
}

function recall(said: string, before: readonly string[]): string | undefined {
  const plain = said.replaceAll('’', "'")
  const asked =
    /\bwhat(?:'s| is| are|s) my ([\p{L}][\p{L} ]{0,40}?)\s*\??$/iu.exec(plain)?.[1]?.toLowerCase().trim() ??
    (/\bwho am i\b/i.test(plain) ? 'name' : undefined)
  if (asked === undefined) return undefined
  const known = before.map(factIn).findLast((fact) => fact?.what === asked)
  return known === undefined ? `You have not told me your ${asked} yet.` : `Your ${asked} is ${known.value}.`
}

/** `- 2025-01-15: what the person said → …` in a system message: notes of earlier conversations, best first, here best last. */
function rememberedIn(messages: readonly ChatMessage[]): readonly string[] {
  const system = messages.filter(({ role }) => role === 'system').map(({ content }) => content)
  const notes = [...system.join('\n').matchAll(/^- \d{4}-\d\d-\d\d: (.+?) →/gmu)]
  return notes.map(([, said = '']) => said).toReversed()
}

function noteFact(said: string): string | undefined {
  const fact = factIn(said.replaceAll('’', "'"))
  if (fact === undefined) return undefined
  return fact.what === 'name'
    ? `Nice to meet you, ${fact.value}! I will remember your name in this conversation.`
    : `I will remember that your ${fact.what} is ${fact.value}.`
}

function aboutConversation(said: string, before: readonly string[]): string | undefined {
  const last = before.at(-1)
  if (/\bwhat did i (?:just )?(?:say|ask|tell)\b|\bmy (?:last|previous) (?:message|question)\b/i.test(said))
    return last === undefined ? 'This is the first thing you have said to me.' : `You said: “${quote(last)}”`
  if (/\bsummar|\bstatus report\b/i.test(said))
    return before.length === 0
      ? 'There is nothing to sum up yet.'
      : `So far you have said ${before.length === 1 ? 'one thing' : `${before.length} things`}: ${before.map((text) => `“${quote(text)}”`).join(', ')}.`
  if (/\bnext steps?\b/i.test(said))
    return last === undefined
      ? 'A first question would be a good next step.'
      : `The next step is yours: we last spoke about “${quote(last)}”.`
  return /\bgo on from where\b/i.test(said) ? 'I have nothing open; ask me something.' : undefined
}

function courtesy(said: string, messages: readonly ChatMessage[], tools: readonly OfferedTool[]): string | undefined {
  const name = personaName(messages)
  const self =
    name === undefined
      ? 'the rehearsal model of this platform'
      : `${name}, played by the rehearsal model of this platform`
  if (/^\W*(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|greetings|hola)\b/i.test(said))
    return `Hello! I am ${self}. ${abilities(tools)}`
  if (/\b(?:who|what) are you\b|\byour name\b|\bintroduce yourself\b/i.test(said))
    return `I am ${self}. ${abilities(tools)}`
  if (/\bwhat can you\b|\bhelp\b|\bwhat do you (?:do|know)\b/i.test(said)) return abilities(tools)
  if (/\bthank(?:s| you)\b/i.test(said)) return 'You are welcome!'
  if (/\b(?:bye|goodbye|see you)\b/i.test(said)) return 'Goodbye!'
  return /\bhow are you\b/i.test(said) ? 'I am well, as deterministic programs always are. And you?' : undefined
}

const skills: readonly (readonly [tool: string, skill: string])[] = [
  ['calculate', 'do arithmetic (“What is 17*23?”)'],
  ['timestamp', 'tell the time in many cities (“What time is it in Lima?”)'],
  ['http_fetch', 'fetch a page (“fetch https://example.com”)'],
  ['echo', 'echo what you say (“echo hello”)'],
]

function abilities(tools: readonly OfferedTool[]): string {
  const offered = skills.filter(([tool]) => tools.some(({ name }) => name === tool)).map(([, skill]) => skill)
  const last = offered.at(-1)
  if (last === undefined) return 'I have no tools here, but I remember what you tell me in this conversation.'
  const list = offered.length === 1 ? last : `${offered.slice(0, -1).join(', ')} and ${last}`
  return `I can ${list}, and I remember what you tell me in this conversation.`
}

/** `You are Ada, …` in a system message. */
function personaName(messages: readonly ChatMessage[]): string | undefined {
  const system = messages
    .filter(({ role }) => role === 'system')
    .map(({ content }) => content)
    .join('\n')
  return /\b(?:You are|Your name is|You're) (?!(?:A|An|The)\b)(\p{Lu}[\p{L}'-]*)/u.exec(system)?.[1]
}

const quote = (text: string): string => (text.length <= 120 ? text : `${text.slice(0, 120).toWellFormed()}…`)
