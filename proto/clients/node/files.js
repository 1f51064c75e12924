// Files of tickets over aftercare's stream (proto/README.md, P1 to P7).
//
//   const sha256 = await putFile(client, 'T-1', 'report.pdf')  // the fact and its bytes; run again, it goes on where it was
//   await getFile(client, sha256, 'copy.pdf')                  // copy.pdf is there when its digest is true, not before
//
// What ends for good throws AftercareError: refused.CODE (of the fact, of HAVE, of PART), corrupt (other bytes than the digest says) …;
// what passes is waited for, at most the client's `patience`.
import { createHash, randomBytes } from 'node:crypto'
import fs from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AftercareError, LATER, Line, SILENCE, Source, TRIES, digest, pack, same } from './aftercare.js'

const PIECE = 128 * 1024, LEAST = 4 * 1024

// Attaches it (at most 20 MiB) and brings its bytes; its digest in hex. The same ticket, name, media and content is the same fact,
// whoever of the principal runs it, and how often; again: it is attached once more.
export async function putFile (client, ticket, file, { name = path.basename(file), media = '', by, again = false } = {}) {
  const handle = await fs.open(file, 'r')
  let source
  try {
    const { found, size } = await digestOf(handle), sha256 = found.digest()
    const fact = { type: 'file.attached', v: 1, key: ticket, by, priv: { name }, data: { media: media || undefined, bytes: size, sha256 } }
    const what = again ? randomBytes(16) : digest(`file\n${ticket}\n${name}\n${media}\n`, sha256)
    source = new Source(client, undefined, what.toString('hex').slice(0, 94 - client.key.principal.length))
    Object.assign(source.kept, { incarnation: digest(source.kept.source), events: [pack(fact)] })
    const [answer] = await source.deliver()
    if (answer.code && source.durable && !again) { // said to an earlier run: what it lacked may be there by now
      return await putFile(client, ticket, file, { name, media, by, again: true })
    }
    if (answer.code) throw new AftercareError(`refused.${answer.code}`, `${answer.field} ${answer.args ?? ''}`)
    await putBytes(source, handle, sha256, size)
    return sha256.toString('hex')
  } finally {
    source?.close()
    await handle.close()
  }
}

async function putBytes (source, handle, sha256, size) {
  let have = await put(source, { sha256 }), at = -1, still = 0, most = 2 * LEAST // how far is it?
  while (!have?.whole) {
    if (!have || LATER.has(have.code)) {
      if (have) await later(source.line, have)
      at = -1
      have = await put(source, { sha256 })
      continue
    }
    const offset = Math.min(have.upto ?? 0, size), bytes = Buffer.alloc(Math.min(most, size - offset))
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset)
    // Without a code: all of it was sent, and it is another content.
    if (have.code || !bytesRead) throw new AftercareError(`refused.${have.code || 'sha256'}`, have.why)
    still = offset === at ? still + 1 : 0
    if (still === TRIES) throw new AftercareError('corrupt', `what is kept stands still at ${offset}`)
    at = offset
    source.line.good()
    const began = Date.now()
    have = await put(source, { sha256, offset, bytes: bytes.subarray(0, bytesRead) })
    most = borne(most, bytesRead, have && (Date.now() - began) / 1000)
  }
}

// How large the next piece may be, so that a line is not filled for longer than it is waited for: a second or two. null: it broke.
function borne (most, came, took) {
  if (took === null) most /= 4
  else if (took > 2) most = came / took
  else if (took < 1 && came >= most) most *= 2
  return Math.min(Math.max(Math.floor(most), LEAST), PIECE)
}

// HAVE; null: it is another connection now, and whatever was said may be lost; ask.
async function put (source, what) {
  await source.line.say('PUT', pack(what))
  for (const until = Date.now() + 90000; Date.now() < until;) { // with somebody there, who may have lost it
    const heard = await source.line.hear(source.beat)
    source.missed = heard ? 0 : source.missed + 1
    if (heard?.verb === 'HAVE' && same(heard.map.sha256, what.sha256)) return heard.map
    if (!heard && source.missed < 3) {
      await source.line.say('PING', {})
    } else if (!heard || !await source.onAnswer(heard, [], () => 2, 1)) {
      break
    }
  }
  await source.greet(2, 1)
  return null
}

// A content, by its digest in hex, into a file. Until then it is in FILE.part; what an earlier run left there is gone on with.
export async function getFile (client, sha256, file) {
  const wanted = Buffer.from(sha256, 'hex'), part = `${file}.part`, line = new Line(client, 'feed', 0)
  const handle = await fs.open(part, 'a+', 0o600)
  await lock(part).catch(async (error) => { await handle.close(); throw error })
  try {
    await getBytes(line, handle, wanted, (await handle.stat()).size)
    if (!same(await digestOf(handle).then(({ found }) => found.digest()), wanted)) {
      await handle.truncate(0) // the next run begins anew
      throw new AftercareError('corrupt', 'the bytes that came have another digest')
    }
    await handle.sync()
    await fs.rename(part, file)
  } catch (error) {
    if (error instanceof AftercareError && !(await handle.stat()).size) await fs.rm(part, { force: true })
    throw error
  } finally {
    line.close()
    await handle.close()
    await unlock(part)
  }
}

// Node has no flock: a file with our process id; one whose process is gone, or that this one has not made, is nobody's.
const locked = new Set()
async function lock (part) {
  const file = `${part}.pid`, holder = Number(await fs.readFile(file, 'utf8').catch(() => 0))
  const lives = () => { try { return process.kill(holder, 0) } catch (error) { return error.code === 'EPERM' } }
  if (locked.has(file) || (holder && holder !== process.pid && lives())) throw new AftercareError('state', `${part} is in use`)
  locked.add(file)
  await fs.writeFile(file, String(process.pid))
}

async function unlock (part) {
  await fs.rm(`${part}.pid`, { force: true })
  locked.delete(`${part}.pid`)
}

async function getBytes (line, handle, wanted, at) {
  let receipt, silence = SILENCE, most = 2 * LEAST
  await line.connect()
  for (;;) {
    const began = Date.now()
    await line.say('GET', { sha256: wanted, offset: at, bytes: most, receipt })
    const part = await hearPart(line, wanted, at, silence), came = part?.bytes?.length ?? 0
    if (!part || came) most = borne(most, came, part && (Date.now() - began) / 1000)
    if (!part) {
      receipt = undefined
      silence = Math.min(2 * silence, 40000) // a piece takes its time on a narrow line
    } else if (LATER.has(part.code)) {
      await later(line, part)
    } else if (part.code) {
      throw new AftercareError(`refused.${part.code}`, part.why)
    } else if (!came) {
      return
    } else {
      line.good()
      await handle.appendFile(part.bytes)
      at += came
      receipt = part.receipt
    }
  }
}

// PART; null: it is another connection now.
async function hearPart (line, wanted, at, silence) {
  const until = Date.now() + silence
  let endpoints, heard
  while (Date.now() < until && (heard = await line.hear(until - Date.now()))) {
    const { verb, map } = heard
    if (verb === 'DENIED' && map.code !== 'full') throw new AftercareError(`denied.${map.code}`, map.why)
    if (['MOVED', 'ERROR', 'DENIED'].includes(verb)) {
      endpoints = map.endpoints
      break
    }
    if (verb === 'PART' && same(map.sha256, wanted) && (map.code || (map.offset ?? 0) === at)) return map
  }
  await line.connect(endpoints)
  return null
}

async function digestOf (handle) {
  const found = createHash('sha256'), piece = Buffer.alloc(PIECE)
  let size = 0
  for (let read; (read = (await handle.read(piece, 0, PIECE, size)).bytesRead) > 0; size += read) found.update(piece.subarray(0, read))
  return { found, size }
}

// A pause that grows, until something good comes (T6).
async function later (line, { code, why }) {
  line.silentSince ||= Date.now()
  if (Date.now() - line.silentSince > line.client.patience * 1000) throw new AftercareError(`refused.${code}`, why)
  line.pause = Math.min(Math.max(2 * line.pause, 100), 5000)
  await sleep(line.pause)
}
