import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pageText, readableText } from '../../../functions/tool-executor/page-text.ts'
import { cpuMsOf } from '../../support/cpu-time.ts'

test('a page becomes its visible text, one line a block', () => {
  const html = `<!doctype html><html><head><title>T</title><style>p{}</style></head><body>
    <h1>Fish &amp; chips</h1><p>Costs &lt; &#163;10.</p><!-- hidden --><script>alert("x")</script><ul><li>one<li>two</ul></body></html>`
  assert.equal(pageText(html), 'Fish & chips\n\nCosts < £10.\n\none\ntwo')
})

test('what looks like markup but is not stays text', () => {
  assert.equal(pageText('1 < 2 and 3 > 2'), '1 < 2 and 3 > 2')
})

test('an element that is never closed hides the rest', () => {
  assert.equal(pageText('seen<script>alert(1) never closed <p>hidden'), 'seen')
})

test('entities that decode to control characters or to nothing leave no trace of them', () => {
  assert.equal(pageText('a&#0;b&#27;[31mc&#x202e;d&#x110000;'), 'abcd&#x110000;')
})

test('terminal escapes, control characters and invisible characters are removed', () => {
  assert.equal(
    readableText('\u001B[31mred\u001B[0m \u001B]8;;http://x\u0007link\u001B]8;;\u0007 a\u0000b\u202Ec\u200Bd\u{E0041}'),
    'red link abcd',
  )
})

test('characters that nobody sees carry no message: tags, variation selectors, fillers, joiners', () => {
  assert.equal(readableText('a\u00ADb\u034Fc\u180Ed\u3164e\uFE00f\u{E0100}g\u{E01EF}h\u{E0041}i'), 'abcdefghi')
})

test('line ends and tabs stay, lone surrogates are replaced', () => {
  assert.equal(readableText('a\tb\nc\uD800'), 'a\tb\nc\uFFFD')
})

test('an image reference becomes a plain link, so that showing the text loads nothing', () => {
  assert.equal(readableText('![](http://x/?q=secret)'), '[](http://x/?q=secret)')
})

test('hostile pages cost linear time', () => {
  const worst = [
    '<script>'.repeat(200_000),
    '<'.repeat(1_000_000),
    '<!--'.repeat(300_000),
    '&'.repeat(1_000_000),
    '\u001B]'.repeat(500_000),
    '<p>'.repeat(300_000),
    ' \n'.repeat(500_000),
  ]
  for (const html of worst) {
    const ms = cpuMsOf(() => void pageText(html))
    assert.ok(ms < 2_000, `${html.slice(0, 8)}: ${ms} ms`)
  }
})

test('any text comes out without control characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(pageText(text), /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/)
      assert.ok(pageText(text).isWellFormed())
    }),
  )
})
