import { test } from 'node:test'
import assert from 'node:assert/strict'
import { asksForTime, findZones, unknownPlace } from '../../../../local/rehearsal-model/mind/places.ts'

const questions = [
  'What time is it?',
  'what time is it in Lima',
  'the current time please',
  'time in Tokyo',
  "what's the date?",
  'What day is it today?',
  'tell me the time',
]
const others = [
  'How many times?',
  'the last time I saw Paris',
  'time complexity of sorting',
  'it takes time',
  'What is 3 times 4?',
]

test('questions for the time are told from other uses of the word', () => {
  for (const question of questions) assert.equal(asksForTime(question), true, question)
  for (const other of others) assert.equal(asksForTime(other), false, other)
})

test('every zone is one that the runtime knows', () => {
  const places = 'lima tokyo bogota sao paulo kyiv hanoi buenos aires new york utc kathmandu reykjavik quito'
  assert.ok(findZones(places).length > 8)
  for (const timeZone of findZones(places))
    assert.doesNotThrow(() => new Date(0).toLocaleString('en', { timeZone }), timeZone)
})

test('places are found in their order, with or without accents, each once', () => {
  assert.deepEqual(findZones('Bogotá, Lima, São Paulo and LIMA'), [
    'America/Bogota',
    'America/Lima',
    'America/Sao_Paulo',
  ])
  assert.deepEqual(findZones('Romeo in Parish'), [])
})

test('a place that is not known is named', () => {
  assert.equal(unknownPlace('time in New Atlantis?'), 'New Atlantis')
  assert.equal(unknownPlace('time in Lima?'), undefined)
  assert.equal(unknownPlace('what time is it?'), undefined)
})
