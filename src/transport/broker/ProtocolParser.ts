/**
 * Cuts a client's byte stream into the commands of the NATS protocol.
 *
 * TCP may split the stream anywhere. Each byte is looked at once: a body that lies whole in one
 * chunk is passed on as a view, one that does not is gathered in a buffer of its exact size, and
 * only the unfinished control line is kept between chunks. Lines are read as Latin-1, which keeps
 * every byte, so that a subject leaves as it came.
 */

export interface Publication {
  readonly subject: string
  readonly reply: string | undefined
  /** How many bytes of the body are headers; 0 without. */
  readonly headerBytes: number
  readonly body: Uint8Array
}

export type Command =
  | { readonly _tag: "Connect"; readonly json: string }
  | { readonly _tag: "Ping" }
  | { readonly _tag: "Pong" }
  | {
    readonly _tag: "Subscribe"
    readonly subject: string
    readonly queue: string | undefined
    readonly sid: string
  }
  /** `max`: after so many messages since the subscription began; 0 is at once. */
  | { readonly _tag: "Unsubscribe"; readonly sid: string; readonly max: number }
  | { readonly _tag: "Publish"; readonly publication: Publication }

/** Input after which the stream cannot be understood; the message is what `-ERR` says. */
export class ProtocolViolation extends Error {
  override readonly name = "ProtocolViolation"
}

export interface ParserLimits {
  readonly controlLineBytesMax: number
  readonly maxPayload: number
}

const lineFeed = 0x0a
const carriageReturn = 0x0d
const space = 0x20
const tab = 0x09

const unknown = "Unknown Protocol Operation"
const malformed = "Parser Error"

const digits = /^\d{1,9}$/u

const byteCount = (text: string | undefined): number => {
  if (text === undefined || !digits.test(text)) throw new ProtocolViolation(malformed)
  return Number(text)
}

interface Head {
  readonly subject: string
  readonly reply: string | undefined
  readonly headerBytes: number
  /** Of the body, without the line end after it. */
  readonly size: number
}

export class ProtocolParser {
  readonly #limits: ParserLimits
  readonly #handle: (command: Command) => void
  /** The beginning of a control line whose end has not come. */
  #line = ""
  #head: Head | undefined
  /** The body of `#head` as far as it has come, where it began in an earlier chunk. */
  #body: Buffer | undefined
  #filled = 0

  constructor(limits: ParserLimits, handle: (command: Command) => void) {
    this.#limits = limits
    this.#handle = handle
  }

  /** Takes the next bytes; throws `ProtocolViolation`, after which it must not be used. */
  push(chunk: Buffer): void {
    let offset = 0
    while (offset < chunk.length) {
      offset = this.#head === undefined
        ? this.#readLine(chunk, offset)
        : this.#readBody(chunk, offset, this.#head)
    }
  }

  #readLine(chunk: Buffer, start: number): number {
    const found = chunk.indexOf(lineFeed, start)
    const end = found === -1 ? chunk.length : found
    if (this.#line.length + end - start > this.#limits.controlLineBytesMax) {
      throw new ProtocolViolation("Maximum Control Line Exceeded")
    }
    const text = this.#line + chunk.toString("latin1", start, end)
    if (found === -1) {
      this.#line = text
      return end
    }
    this.#line = ""
    this.#readCommand(text.endsWith("\r") ? text.slice(0, -1) : text)
    return end + 1
  }

  #readBody(chunk: Buffer, start: number, head: Head): number {
    const needed = head.size + 2
    if (this.#body === undefined && chunk.length - start >= needed) {
      this.#finish(head, chunk.subarray(start, start + needed))
      return start + needed
    }
    this.#body ??= Buffer.allocUnsafe(needed)
    const copied = chunk.copy(this.#body, this.#filled, start)
    this.#filled += copied
    if (this.#filled === needed) this.#finish(head, this.#body)
    return start + copied
  }

  #finish({ headerBytes, reply, size, subject }: Head, bytes: Buffer): void {
    if (bytes[size] !== carriageReturn || bytes[size + 1] !== lineFeed) {
      throw new ProtocolViolation(malformed)
    }
    this.#head = undefined
    this.#body = undefined
    this.#filled = 0
    const body = bytes.subarray(0, size)
    this.#handle({ _tag: "Publish", publication: { subject, reply, headerBytes, body } })
  }

  #readCommand(line: string): void {
    const words = wordsOf(line)
    switch (words[0]?.toUpperCase()) {
      case "PUB":
        return this.#readHead({ words, hasHeaders: false })
      case "HPUB":
        return this.#readHead({ words, hasHeaders: true })
      case "SUB":
        return this.#handle(subscribe(words))
      case "UNSUB":
        return this.#handle(unsubscribe(words))
      case "PING":
        return this.#handle({ _tag: "Ping" })
      case "PONG":
        return this.#handle({ _tag: "Pong" })
      case "CONNECT":
        return this.#handle({ _tag: "Connect", json: jsonOf(line) })
      default:
        throw new ProtocolViolation(unknown)
    }
  }

  /** `PUB subject [reply] size`, `HPUB subject [reply] headers size`. */
  #readHead({ hasHeaders, words }: { words: ReadonlyArray<string>; hasHeaders: boolean }): void {
    const counts = hasHeaders ? 2 : 1
    const texts = words.length - 1 - counts
    if (texts < 1 || texts > 2) throw new ProtocolViolation(malformed)
    const size = byteCount(words.at(-1))
    const headerBytes = hasHeaders ? byteCount(words.at(-2)) : 0
    if (size > this.#limits.maxPayload) throw new ProtocolViolation("Maximum Payload Violation")
    if (headerBytes > size) throw new ProtocolViolation(malformed)
    this.#head = {
      subject: words[1]!,
      reply: texts === 2 ? words[2] : undefined,
      headerBytes,
      size
    }
  }
}

/** The words of a control line; one or more spaces or tabs lie between them. */
const wordsOf = (line: string): ReadonlyArray<string> => {
  const words: Array<string> = []
  let start = 0
  for (let i = 0; i <= line.length; i++) {
    const code = i === line.length ? space : line.charCodeAt(i)
    if (code !== space && code !== tab) continue
    if (i > start) words.push(line.slice(start, i))
    start = i + 1
  }
  return words
}

/** `SUB subject [queue] sid`. */
const subscribe = (words: ReadonlyArray<string>): Command => {
  const [, subject, second, third] = words
  const sid = third ?? second
  if (subject === undefined || sid === undefined || words.length > 4) {
    throw new ProtocolViolation(malformed)
  }
  return { _tag: "Subscribe", subject, queue: third === undefined ? undefined : second, sid }
}

/** `UNSUB sid [max]`. */
const unsubscribe = (words: ReadonlyArray<string>): Command => {
  const [, sid, max] = words
  if (sid === undefined || words.length > 3) throw new ProtocolViolation(malformed)
  return { _tag: "Unsubscribe", sid, max: max === undefined ? 0 : byteCount(max) }
}

/** The text after the word CONNECT, decoded as UTF-8. */
const jsonOf = (line: string): string =>
  Buffer.from(line.slice("CONNECT".length), "latin1").toString("utf8")
