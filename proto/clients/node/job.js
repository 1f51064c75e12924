#!/usr/bin/env node
// The jobs of the conformance kit (proto/conformance/README.md), done by this client.
import { parseArgs } from 'node:util'
import { AftercareError, open } from './aftercare.js'
import { getFile, putFile } from './files.js'

const out = (fields) => process.stdout.write(JSON.stringify(fields) + '\n')
const [key, job, ...args] = process.argv.slice(2)
const client = open(key)

async function read () {
  const string = { type: 'string' }, list = { type: 'string', multiple: true, default: [] }
  const { values } = parseArgs({ args, options: { after: string, link: string, type: list, need: list, until: string } })
  const needs = Object.fromEntries(values.need.map((need) => need.split('/')).map(([type, v]) => [type, Number(v)]))
  const until = Number(values.until ?? 0)
  const reader = client.read({ after: Number(values.after ?? 0), link: values.link ? Buffer.from(values.link, 'hex') : undefined, types: values.type, needs, follow: until > 0 })
  for await (const batch of reader) {
    for (const { pos, type } of batch.events) out({ pos, type })
    await reader.commit(batch)
    if (until && batch.upto >= until) break
  }
  out({ end: 'caught-up', pos: reader.have, link: Buffer.from(reader.link ?? []).toString('hex') })
}

async function append () {
  const source = await client.source(args[1])
  const answers = [...source.recovered]
  const events = Array.from({ length: Math.max(0, Number(args[0]) - source.n + 1) }, (_, i) =>
    ({ type: 'ticket.registered', v: 1, key: `KIT-${source.n + i}`, by: 'kit', data: { kind: 'repair' } }))
  answers.push(...await source.append(events))
  source.close()
  for (const { n, pos, code, field } of answers) out({ n, pos, code, field })
  out({ end: 'done' })
}

async function ask () {
  const { rows, asOf } = await client.ask(...args)
  rows.forEach(out)
  out({ end: 'done', as_of: asOf })
}

async function put () {
  await putFile(client, args[0], args[1]) // what its STATE is for it has from intake
  out({ end: 'done' })
}

async function get () {
  await getFile(client, args[0], args[1])
  out({ end: 'done' })
}

try {
  await { read, append, ask, put, get }[job]()
} catch (error) {
  if (!(error instanceof AftercareError)) throw error
  const [head, ...code] = error.code.split('.')
  const known = ['fork', 'ahead', 'denied', 'version', 'conflict', 'refused', 'silent'].includes(head) // what else ends it is refused
  out({ end: ['hole', 'link', 'priv', 'corrupt'].includes(head) ? 'damaged' : known ? head : 'refused', code: (known ? code.join('.') : error.code) || undefined })
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
client.close()
