import { test } from 'node:test'
import assert from 'node:assert/strict'
import { parseScript } from '../../../local/rehearsal-model/index.ts'
import { createPrompter } from '../../../local/rehearsal-model/script.ts'

const asked = { message: 'What is 17*23?', round: 0, model: 'm', session: 's', turn: 't' }

test('the first rule that fits answers, as often as it may', () => {
  const prompter = createPrompter(
    parseScript(`
rules:
  - { name: other, when: { message: lima }, then: { status: 500 } }
  - { when: { message: "WHAT IS 17\\\\*23", round: 0 }, then: { status: 500 }, times: 2 }
  - { name: last, then: { text: hello } }
`),
  )
  const names = Array.from({ length: 4 }, () => prompter.ruleFor(asked)?.name)
  assert.deepEqual(names, ['2', '2', 'last', 'last'])
  assert.equal(prompter.ruleFor({ ...asked, round: 1 })?.name, 'last')
})

test('all conditions of a rule must fit', () => {
  const prompter = createPrompter(
    parseScript('rules: [{ when: { round: 1, session: s, turn: t, model: m }, then: { hang: true } }]'),
  )
  assert.equal(prompter.ruleFor(asked), undefined)
  assert.equal(prompter.ruleFor({ ...asked, round: 1, turn: 'u' }), undefined)
  assert.deepEqual(prompter.ruleFor({ ...asked, round: 1 })?.action, { hang: true })
})

test('an empty file is a script without rules', () => {
  assert.deepEqual(parseScript(''), { rules: [] })
})

const wrong: Readonly<Record<string, string>> = {
  'a misspelt condition': 'rules: [{ when: { mesage: x }, then: { status: 500 } }]',
  'a misspelt action': 'rules: [{ then: { statuss: 500 } }]',
  'a rule without an action': 'rules: [{ when: { message: x } }]',
  'an action that does nothing': 'rules: [{ then: {} }]',
  'a status that is none': 'rules: [{ then: { status: 1000 } }]',
  'an unknown kind of garbage': 'rules: [{ then: { garbage: noise } }]',
  'an expression that does not compile': 'rules: [{ when: { message: "(" }, then: { status: 500 } }]',
  'a list at the top': '- a',
  'broken YAML': 'rules: [',
}

for (const [what, text] of Object.entries(wrong)) {
  test(`${what} is refused`, () => {
    assert.throws(() => parseScript(text), { code: 'invalid_option' })
  })
}
