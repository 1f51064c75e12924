// A client of aftercare's stream. proto/README.md is the authority; its rules are cited as F1, A4 …
//
//   const client = open('integrator.key')
//   const reader = client.read({ after, link, follow: true })
//   for await (const batch of reader) {   // events in order, no hole, each once, links verified
//     database.transaction(() => { … })()  // the table and (batch.upto, batch.link) in one transaction
//     await reader.commit(batch)
//   }
//   const source = await client.source('append.state')
//   const answers = await source.append([{ type: 'customer.informed', v: 1, key: 'T-1', data: {} }])
//   const { rows, asOf } = await client.ask('reporting', 'tickets', { limit: 10 })
//
// What ends for good throws AftercareError, whose `code` says why. What passes (nobody there, a restart, BUSY) is waited for,
// at most `patience` seconds at a time. Instants are Instant {seconds, nanoseconds}: a Date has milliseconds only.
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as zmq from 'zeromq'
import { AftercareError, digest, isMap, pack, packEvent, same, sha256, unpack } from './wire.js'
export { AftercareError, Instant, digest, pack, same } from './wire.js'

const CREDIT = 1 << 20, EVENTS_MAX = 256, BYTES_MAX = 256 * 1024
export const SILENCE = 5000 // ms in which the other end says something when it is its turn
export const TRIES = 3 // the same damage at the same place: it is not the line's
export const LATER = new Set(['nobody', 'timeout', 'behind', 'busy', 'database', 'unavailable'])

// key: a path, or what stands in the key file. patience in seconds, Infinity: for ever.
export function open (key, { patience = 60 } = {}) {
  const read = typeof key === 'string' ? JSON.parse(fs.readFileSync(key, 'utf8')) : key
  if (read.aftercare !== 'key' || read.version !== 1) throw new AftercareError('key', 'not a key file of version 1')
  return new Client(read, patience)
}

// One DEALER to one endpoint; made anew, to the next endpoint, whenever it is in doubt.
export class Line {
  constructor (client, which, linger) {
    Object.assign(this, { client, endpoints: client.key.endpoints[which] ?? [], linger, turn: -1, pause: 0, silentSince: 0, socket: null })
  }

  async connect (endpoints) {
    if (this.socket) this.socket.linger = 0 // a HELLO left over would end the new session (T6)
    this.close()
    if (endpoints?.length) { this.endpoints = endpoints; this.turn = -1 }
    this.silentSince ||= Date.now()
    if (Date.now() - this.silentSince > this.client.patience * 1000) throw new AftercareError('silent', `nobody answers at ${this.endpoints.join(', ')}`)
    await sleep(this.pause)
    this.pause = Math.min(Math.max(2 * this.pause, 100), 5000)
    this.turn++
    const key = this.client.key
    this.socket = new zmq.Dealer({
      context: this.client.context, linger: this.linger, handshakeInterval: 5000, tcpKeepalive: 1, tcpKeepaliveIdle: 10, tcpKeepaliveInterval: 5, tcpKeepaliveCount: 3,
      maxMessageSize: 1 << 20, reconnectInterval: 100, reconnectMaxInterval: 1000,
      ...(key.server_key ? { curveServerKey: key.server_key, curvePublicKey: key.public_key, curveSecretKey: key.secret_key } : {})
    })
    this.socket.connect(this.endpoints[this.turn % this.endpoints.length])
  }

  good () { this.pause = 0; this.silentSince = 0 }

  async say (verb, fields) { await this.socket.send([verb, Buffer.isBuffer(fields) ? fields : pack(fields)]) }

  // {verb, map, size}; null: silence. What is no message of the protocol is dropped (T3).
  async hear (ms) {
    for (let deadline = Date.now() + ms; ;) {
      this.socket.receiveTimeout = Math.max(0, deadline - Date.now())
      let frames
      try { frames = await this.socket.receive() } catch (error) {
        if (error.code === 'EAGAIN') return null
        throw error
      }
      if (frames.length !== 2) continue
      try {
        const map = unpack(frames[1])
        if (isMap(map)) return { verb: frames[0].toString('latin1'), map, size: frames[1].length }
      } catch { /* no msgpack */ }
    }
  }

  close () { this.socket?.close(); this.socket = null }
}

class Client {
  constructor (key, patience) {
    Object.assign(this, { key, patience, context: new zmq.Context(), asked: 0 })
    this.questions = new Line(this, 'feed', 0)
  }

  close () { this.questions.close() }

  // after, link: the cursor kept last. types, regions, sites, keys: filters; follow; credit: bytes; needs: {type: newest version
  // understood}; name: of this reader, behind the principal's.
  read (options = {}) { return new Reader(this, options) }

  // Appends. state: a file that belongs to this source for ever; none: a source of this life only.
  async source (state, name) {
    const source = new Source(this, state, name)
    source.recovered = source.kept.events.length ? await source.deliver() : []
    return source
  }

  // All rows (at most `limit`) and the position the last page holds for.
  async ask (to, question, args = {}, { limit, atLeast = 0 } = {}) {
    const line = this.questions, deadline = Date.now() + this.patience * 1000
    for (let rows = [], after = ''; ;) {
      if (!line.socket) await line.connect()
      const id = ++this.asked
      await line.say('ASK', { id, to, question, args, at_least: atLeast, after, limit: limit ? Math.min(limit - rows.length, 1000) : undefined })
      let heard = await line.hear(2 * SILENCE)
      while (heard && heard.verb !== 'MOVED' && heard.map.id !== id && (heard.verb !== 'ERROR' || heard.map.id)) heard = await line.hear(2 * SILENCE) // Q1
      const { verb, map } = heard ?? { verb: 'ERROR', map: { code: 'timeout' } }
      if (verb === 'ERROR' || verb === 'MOVED') {
        if ((verb === 'ERROR' && !LATER.has(map.code)) || Date.now() > deadline) throw new AftercareError(map.code ?? 'silent', map.why)
        await line.connect(map.endpoints) // Q3: later, over a new connection
      } else if (verb === 'ANSWER') {
        line.good()
        rows = rows.concat(map.rows ?? [])
        after = map.after ?? ''
        if (!map.more || (limit && rows.length >= limit)) return { rows, asOf: map.as_of ?? 0 }
      }
    }
  }
}

// Iterate for batches {events, after, upto, link}; commit each when its effects are. One not committed holds credit.
class Reader {
  constructor (client, { after = 0, link, types = [], regions = [], sites = [], keys = [], follow = false, credit = CREDIT, needs = {}, name }) {
    Object.assign(this, { client, follow, credit, needs, line: new Line(client, 'feed', 0), have: after, owed: 0, session: 0, silence: SILENCE })
    Object.assign(this, { link: after === 0 ? digest(client.key.stream) : link, failed: 0, failedAt: -1, over: false })
    this.filters = Object.fromEntries(Object.entries({ types, regions, sites, keys }).filter(([, list]) => list.length))
    this.consumer = client.key.principal + (name ? `/${name}` : '')
  }

  // A session where the last batch ended, over a new connection, so that nothing of the old one comes (F7).
  async open (endpoints) {
    await this.line.connect(endpoints)
    Object.assign(this, { session: this.session + 1, owed: 0, opened: false })
    const link = this.have > 0 && this.link ? { link: this.link } : {}
    await this.line.say('OPEN', { stream: this.client.key.stream, consumer: this.consumer, after: this.have, ...link, ...this.filters, follow: this.follow, credit: this.credit })
  }

  // This batch's effects stand: its credit goes back (F2). Its cursor is the caller's to keep.
  async commit (batch) {
    if (batch.session !== this.session) return
    this.owed -= batch.cost
    await this.line.say('CREDIT', { bytes: batch.cost, applied: batch.upto })
  }

  async * [Symbol.asyncIterator] () {
    try {
      if (!this.line.socket) await this.open()
      while (!this.over) {
        if (this.owed >= this.credit) throw new AftercareError('credit', 'commit() what was read before reading on')
        const heard = await this.line.hear(this.silence)
        if (!heard) { // F12
          this.silence = Math.min(2 * this.silence, 40000)
          await this.open()
          continue
        }
        const batch = await this.take(heard)
        if (batch) yield batch
      }
    } finally { await this.close() }
  }

  async close () {
    if (this.line.socket) await this.line.say('CLOSE', {})
    this.line.close()
  }

  async take ({ verb, map, size }) {
    if (verb === 'OPENED') {
      this.opened = true
      this.whole = map.whole === true && !Object.keys(this.filters).length
    } else if (verb === 'FORK') {
      throw new AftercareError('fork', `at ${this.have} this journal is another`)
    } else if (verb === 'AHEAD') {
      throw new AftercareError('ahead', `${this.have} was read, the journal ends at ${map.head ?? 0}: it was restored`)
    } else if (verb === 'DENIED' && map.code !== 'full') {
      throw new AftercareError(`denied.${map.code}`, map.why)
    } else if (verb === 'DENIED' || verb === 'ERROR' || verb === 'MOVED') {
      if (map.code === 'corrupt') throw new AftercareError('corrupt', map.why)
      await this.open(map.endpoints)
    } else if ((verb === 'HEAD' || verb === 'CAUGHT_UP') && this.opened) {
      this.line.good()
      this.silence = SILENCE
      this.over = verb === 'CAUGHT_UP' && !this.follow
    } else if (verb === 'BATCH' && this.opened) {
      return await this.batch(map, size)
    }
    return null
  }

  async batch (map, size) {
    let judged
    try { judged = this.judge(map) } catch (error) {
      if (error.code === 'version') throw error
      this.failed = this.failedAt === this.have ? this.failed + 1 : 1
      this.failedAt = this.have
      if (this.failed >= TRIES) throw error instanceof AftercareError ? error : new AftercareError('corrupt', `after ${this.have}: ${error.message}`)
      await this.open()
      return null
    }
    const batch = { events: judged, after: this.have, upto: map.upto ?? 0, link: map.link, cost: size, session: this.session }
    Object.assign(this, { have: batch.upto, link: batch.link, owed: this.owed + size, silence: SILENCE })
    this.line.good()
    return batch
  }

  // The events decoded, where all is as it has to be (F3 to F6).
  judge (map) {
    let at = this.have, link = this.link
    const upto = map.upto ?? 0
    if ((map.after ?? 0) !== at || upto < at) throw new AftercareError('hole', `a batch after ${map.after ?? 0} came, ${at} was read last`)
    const events = (map.events ?? []).map(([body, priv]) => {
      const event = unpack(body)
      if (!(event.pos > at && event.pos <= upto) || (this.whole && event.pos !== at + 1)) throw new AftercareError('hole', `position ${event.pos} came after ${at}`)
      at = event.pos
      if (this.whole && link) link = digest(link, body)
      if (priv && !same(sha256(priv), event.pd)) throw new AftercareError('priv', `position ${at}: the personal part is not the one that was recorded`)
      if (event.v > (this.needs[event.type] ?? Infinity)) throw new AftercareError('version', `position ${at}: ${event.type} version ${event.v} is not understood here`)
      return { ...event, personal: priv ? unpack(priv)[1] : null }
    })
    if (this.whole && at !== upto) throw new AftercareError('hole', `the batch ends at ${at}, not at ${upto}`)
    if (this.whole && link && !same(link, map.link)) throw new AftercareError('link', `the journal is not what its links say at ${upto}`)
    return events
  }
}

// Numbers, a window, answers. What append() was given stands in the state file before it is sent, and is taken exactly once over
// whatever is killed: the next source of the same file sends it again, and its answers stand in `recovered`. Without a file it
// lives in memory: what has its answer is in the journal, the fate of the rest dies with the process.
export class Source {
  constructor (client, state, name) {
    const principal = client.key.principal
    Object.assign(this, { client, state, line: new Line(client, 'cmd', 2000), window: [EVENTS_MAX, BYTES_MAX], beat: SILENCE, missed: 0, durable: 0, sent: 0 })
    this.kept = { source: name || !state ? `${principal}/${name ?? randomBytes(8).toString('hex')}` : principal, incarnation: randomBytes(16), n: 1, events: [] }
    if (!state) return
    this.lock()
    if (!fs.existsSync(state)) return
    const kept = unpack(fs.readFileSync(state))
    if (kept.source !== this.kept.source) throw new AftercareError('state', `${state} belongs to ${kept.source}`)
    this.kept = kept
  }

  // The number that the next event gets.
  get n () { return this.kept.n + this.kept.events.length }

  // Node has no flock: a file with our process id; one whose process is gone is nobody's.
  lock () {
    const file = `${this.state}.pid`
    try {
      const pid = Number(fs.readFileSync(file, 'utf8'))
      if (pid && pid !== process.pid) process.kill(pid, 0)
      if (pid) throw new AftercareError('state', `${this.state} is in use by process ${pid}`)
    } catch (error) { if (error instanceof AftercareError) throw error }
    fs.writeFileSync(file, String(process.pid))
  }

  close () {
    this.line.close()
    if (this.state) fs.rmSync(`${this.state}.pid`, { force: true })
  }

  keep () {
    if (!this.state) return
    const file = fs.openSync(`${this.state}.new`, 'w', 0o600)
    fs.writeFileSync(file, pack(this.kept))
    fs.fsyncSync(file)
    fs.closeSync(file)
    fs.renameSync(`${this.state}.new`, this.state)
    const folder = fs.openSync(path.dirname(path.resolve(this.state)), 'r')
    fs.fsyncSync(folder)
    fs.closeSync(folder)
  }

  // An answer for each, in order: {n, pos, result} or {n, code, field, args}; refusals are answers too.
  async append (events) {
    const answers = []
    let part = [], size = 0
    for (const event of [...events.map(packEvent), null]) {
      if (part.length && (!event || part.length === this.window[0] || size + event.length + 64 > this.window[1])) {
        this.kept.events = part
        this.keep()
        answers.push(...await this.deliver())
        part = []
        size = 0
      }
      if (event) { part.push(event); size += event.length }
    }
    return answers
  }

  // Everything kept is answered; then it is forgotten (A5).
  async deliver () {
    const first = this.kept.n, last = first + this.kept.events.length - 1, answers = []
    const next = () => first + answers.length
    if (!this.line.socket) await this.greet(next(), last)
    await this.send(Math.max(next(), this.durable + 1), last)
    while (next() <= last) {
      const heard = await this.line.hear(this.beat)
      this.missed = heard ? 0 : this.missed + 1
      if (!heard && this.missed < 3) {
        await this.line.say('PING', {})
      } else if (!heard || !await this.onAnswer(heard, answers, next, last)) {
        await this.greet(next(), last)
        await this.send(Math.max(this.durable + 1, next()), last)
      }
    }
    this.kept = { ...this.kept, n: last + 1, events: [] }
    this.keep()
    return answers
  }

  // From n on what the window lets go; more follows the answers.
  async send (n, last) {
    const part = []
    let size = 0
    for (const event of this.kept.events.slice(n - this.kept.n)) {
      if (part.length === this.window[0] || (part.length && size + event.length + 64 > this.window[1])) break
      part.push(event)
      size += event.length
    }
    this.sent = n + part.length - 1
    if (!part.length) return
    const head = Buffer.concat([Buffer.from([0x82]), pack('n'), pack(n), pack('events'), Buffer.from([0xdc, part.length >> 8, part.length & 255])])
    await this.line.say('APPEND', Buffer.concat([head, ...part]))
  }

  // False: this session is over, greet again.
  async onAnswer ({ verb, map }, answers, next, last) {
    if (verb === 'ACK') {
      for (const [n, pos, ...rest] of map.answers ?? []) {
        if (n !== next() || n > last) continue // of an answer heard before
        answers.push(typeof pos === 'number' ? { n, pos, result: rest[0] ?? null } : { n, code: pos, field: rest[0], args: rest[1] })
      }
      this.line.good()
      if (this.sent < last && next() > this.sent) await this.send(this.sent + 1, last)
    } else if (verb === 'BUSY') { // A6
      await sleep(Math.min(Math.max(map.retry_ms ?? 0, 1), 60000))
      await this.send(next(), last)
    } else if (verb === 'NAK' && map.code === 'gap' && map.expected >= next() && map.expected <= last) {
      await this.send(map.expected, last)
    } else if (verb === 'NAK' && map.code !== 'gap') {
      throw new AftercareError('conflict', `other content stands under ${map.n}: this source is frozen`)
    } else if (verb === 'DENIED') {
      throw new AftercareError(`denied.${map.code}`, map.why)
    } else if (verb === 'ERROR' && map.code === 'malformed') {
      throw new AftercareError('malformed', map.why)
    } else if (verb === 'ERROR' || verb === 'NAK' || verb === 'MOVED') {
      this.moved = map.endpoints
      return false
    }
    return true
  }

  // HELLO until WELCOME, then on behind `durable`.
  async greet (n, last) {
    let heard
    do {
      await this.line.connect(this.moved)
      this.moved = undefined
      this.missed = 0
      const { source, incarnation } = this.kept
      await this.line.say('HELLO', { proto: [1, 1], stream: this.client.key.stream, source, incarnation, first: n, last })
      heard = await this.line.hear(SILENCE)
      if (heard?.verb === 'BUSY') await sleep(Math.min(Math.max(heard.map.retry_ms ?? 0, 1), 60000))
      else if (heard?.verb === 'DENIED' || heard?.verb === 'MOVED') await this.onAnswer(heard, [], () => n, last)
    } while (heard?.verb !== 'WELCOME')
    const { window = {}, hb_ms: beat, durable = 0 } = heard.map
    this.window = [Math.min(window.events || EVENTS_MAX, EVENTS_MAX), Math.min(window.bytes || BYTES_MAX, BYTES_MAX)]
    Object.assign(this, { beat: beat || SILENCE, durable })
  }
}
