#!/usr/bin/env node
// Keeps a table of tickets in step with the stream, exactly once, in one's own SQLite.
//   table-in-step.js KEYFILE tickets.db [--once]
// The table's rows and the cursor (position, link) change in one transaction: whatever is killed, in whatever moment, the rows
// are those of every event up to the cursor, each applied once. --once ends at the head; without it goes on for ever.
import Database from 'libsql'
import { AftercareError, open } from '../aftercare.js'

const STATES = { 'ticket.resolved': 'resolved', 'ticket.closed': 'closed', 'ticket.cancelled': 'cancelled', 'ticket.reopened': 'open' }
const needs = { 'ticket.registered': 1, ...Object.fromEntries(Object.keys(STATES).map((type) => [type, 1])) } // beyond these we stop

const [key, file, ...options] = process.argv.slice(2)
const once = options.includes('--once')
const database = new Database(file)
database.pragma('journal_mode = WAL')
database.pragma('synchronous = FULL')
database.exec(`
  CREATE TABLE IF NOT EXISTS ticket (number TEXT PRIMARY KEY, kind TEXT NOT NULL, region TEXT NOT NULL, state TEXT NOT NULL,
                                     events INTEGER NOT NULL, pos INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS cursor (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), pos INTEGER NOT NULL, link BLOB);
  INSERT OR IGNORE INTO cursor (only_one, pos) VALUES (1, 0)`)
const insert = database.prepare("INSERT INTO ticket VALUES (?, ?, ?, 'open', 1, ?)")
const update = database.prepare('UPDATE ticket SET state = coalesce(?, state), events = events + 1, pos = ? WHERE number = ?')
const advance = database.prepare('UPDATE cursor SET pos = ?, link = ? WHERE pos = ?')

const take = database.transaction((batch) => {
  for (const { type, key, data, region, pos } of batch.events) {
    if (type === 'ticket.registered') insert.run(key, data.kind, region ?? '', pos)
    else update.run(STATES[type] ?? null, pos, key ?? null) // events about other things, or about nothing, meet no row
  }
  if (advance.run(batch.upto, Buffer.from(batch.link), batch.after).changes !== 1) throw new Error('another process keeps this table')
})

const client = open(key, { patience: once ? 60 : Infinity })
try {
  const { pos, link } = database.prepare('SELECT pos, link FROM cursor').get()
  const reader = client.read({ after: pos, link: link ?? undefined, follow: !once, needs, name: 'table' })
  for await (const batch of reader) {
    take.immediate(batch)
    await reader.commit(batch)
  }
  console.log(reader.have)
} catch (error) {
  if (!(error instanceof AftercareError)) throw error
  console.error(`table-in-step: ${error.message}`)
  process.exitCode = 1
}
client.close()
