// Maps as bytes. What is none by T2 (cut, a key twice, a text with U+0000 or not UTF-8, nested deeper than 16) is refused, whole.
import { createHash } from 'node:crypto'
import { Decoder, Encoder, ExtensionCodec, decodeTimestampToTimeSpec, encodeTimeSpecToTimestamp } from '@msgpack/msgpack'

export class Instant {
  constructor (seconds, nanoseconds = 0) { this.seconds = seconds; this.nanoseconds = nanoseconds }
  static of (date) { const ms = date.getTime(); return new Instant(Math.floor(ms / 1000), (((ms % 1000) + 1000) % 1000) * 1e6) }
  toDate () { return new Date(this.seconds * 1000 + Math.floor(this.nanoseconds / 1e6)) }
  toString () { return this.toDate().toISOString() }
}

// code: fork, ahead, denied.CODE, hole, link, priv, corrupt, version, conflict, silent, credit, state …
export class AftercareError extends Error {
  constructor (code, why = '') { super(why ? `${code}: ${why}` : code); this.code = code; this.why = why }
}

const extensionCodec = new ExtensionCodec()
extensionCodec.register({
  type: -1,
  encode: (value) => {
    const at = value instanceof Date ? Instant.of(value) : value
    return at instanceof Instant ? encodeTimeSpecToTimestamp({ sec: at.seconds, nsec: at.nanoseconds }) : null
  },
  decode: (data) => { const { sec, nsec } = decodeTimestampToTimeSpec(data); return new Instant(sec, nsec) }
})
export const pack = (value) => Buffer.from(new Encoder({ extensionCodec, ignoreUndefined: true }).encode(value))
export const unpack = (bytes) => { look(bytes); return new Decoder({ extensionCodec }).decode(bytes) }
export const isMap = (value) => value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array)
export const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest()
export const digest = (...parts) => sha256(...parts).subarray(0, 16)
export const same = (a, b) => Buffer.compare(Buffer.from(a ?? []), Buffer.from(b ?? [])) === 0

// Once, before it gets its number: what intake could not read would stand under it for ever.
export function packEvent (event) {
  try {
    const data = pack(event)
    look(data)
    return data
  } catch (error) { throw new AftercareError('malformed', `an event that cannot be sent: ${error.message}`) }
}

const DEPTH_MAX = 16
const texts = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

// The decoder takes more than T2 allows: what it is given is walked before. Lengths are believed as far as there are bytes.
function look (bytes) {
  let at = 0
  const bad = (why) => { throw new RangeError(why) }
  const take = (n) => { at + n <= bytes.length || bad('cut'); at += n; return at - n }
  const number = (n) => { const from = take(n); let v = 0; for (let i = 0; i < n; i++) v = v * 256 + bytes[from + i]; return v }
  const text = (n) => { const v = texts.decode(bytes.subarray(take(n), at)); if (v.includes('\0')) bad('U+0000 in a text'); return v }
  const list = (n, depth) => { if (depth > DEPTH_MAX) bad('nested too deeply'); for (; n > 0; n--) value(depth + 1) }
  const map = (n, depth) => {
    if (depth > DEPTH_MAX) bad('nested too deeply')
    for (const keys = new Set(); n > 0; n--) {
      const key = value(depth + 1)
      if (typeof key !== 'string' || keys.has(key)) bad('a key twice, or one that is no text')
      keys.add(key)
      value(depth + 1)
    }
  }
  const value = (depth) => {
    const b = number(1)
    if (b < 0x80 || b >= 0xe0 || b === 0xc0 || b === 0xc2 || b === 0xc3) return
    if (b < 0x90) return map(b & 15, depth)
    if (b < 0xa0) return list(b & 15, depth)
    if (b < 0xc0) return text(b & 31)
    if (b === 0xc1) bad('0xc1')
    if (b < 0xc7) take(number(1 << (b - 0xc4)))
    else if (b < 0xca) take(1 + number(1 << (b - 0xc7)))
    else if (b < 0xcc) take(b === 0xca ? 4 : 8)
    else if (b < 0xd4) take(1 << (b & 3))
    else if (b < 0xd9) take(1 + (1 << (b - 0xd4)))
    else if (b < 0xdc) return text(number(1 << (b - 0xd9)))
    else if (b < 0xde) list(number(2 << (b - 0xdc)), depth)
    else map(number(2 << (b - 0xde)), depth)
  }
  value(1)
  if (at !== bytes.length) bad('bytes behind the value')
}
