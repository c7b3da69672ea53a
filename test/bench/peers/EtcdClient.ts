/**
 * Speaks gRPC with etcd's members, as many requests of one connection at once as there are: the
 * few messages that the benchmark needs, by etcd's `rpc.proto`.
 */
import { type ClientHttp2Session, connect } from "node:http2"

/** Field numbers of `rpc.proto` and `kv.proto`; wire type 0 is a number, 2 is bytes. */
const numberField = (field: number): number => field << 3
const bytesField = (field: number): number => (field << 3) | 2

const varint = (value: number): Array<number> => {
  const bytes: Array<number> = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return [...bytes, rest]
}

const bytesOf = (field: number, bytes: Uint8Array): Uint8Array =>
  Buffer.concat([Uint8Array.from([bytesField(field), ...varint(bytes.length)]), bytes])

const numberOf = (field: number, value: number): Uint8Array =>
  Uint8Array.from([numberField(field), ...varint(value)])

type Field = readonly [field: number, value: number | Buffer]

/** Numbers here are revisions and lengths, so they are exact. */
const fieldsOf = (message: Buffer): ReadonlyArray<Field> => {
  const fields: Array<Field> = []
  let at = 0
  const number = (): number => {
    let value = 0
    let factor = 1
    for (;; factor *= 128) {
      const byte = message.readUInt8(at++)
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }
  while (at < message.length) {
    const tag = number()
    const value = number()
    if ((tag & 7) === 0) fields.push([tag >> 3, value])
    else fields.push([tag >> 3, message.subarray(at, at += value)])
  }
  return fields
}

const field = <A extends number | Buffer>(
  message: Buffer,
  wanted: number,
  is: (value: number | Buffer) => value is A
): A | undefined => {
  for (const [number, value] of fieldsOf(message)) {
    if (number === wanted && is(value)) return value
  }
  return undefined
}

const isNumber = (value: number | Buffer): value is number => typeof value === "number"
const isBytes = (value: number | Buffer): value is Buffer => typeof value !== "number"

const prefixBytes = 5
const windowBytes = 16 * 2 ** 20
const callMillis = 5_000

/** A member that failed is passed over for so long. */
const restMillis = 1_000

class Member {
  /** When a call of it failed last. */
  failedAt = Number.NEGATIVE_INFINITY
  readonly #address: string
  #session: ClientHttp2Session | undefined

  constructor(address: string) {
    this.#address = address
  }

  /** The answer's message; fails where the member cannot be reached or refuses. */
  call(method: string, message: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const stream = this.#connected().request({
        ":method": "POST",
        ":path": `/etcdserverpb.KV/${method}`,
        "content-type": "application/grpc",
        te: "trailers"
      })
      const parts: Array<Buffer> = []
      let status: unknown = "no status"
      stream.on("data", (part: Buffer) => parts.push(part))
      stream.on("trailers", (trailers) => status = trailers["grpc-status"])
      stream.on("response", (headers) => status = headers["grpc-status"] ?? status)
      stream.setTimeout(callMillis, () => stream.destroy(new Error("no answer in time")))
      stream.on("error", (error) => {
        this.failedAt = performance.now()
        reject(error)
      })
      stream.on("close", () => {
        if (String(status) === "0") resolve(Buffer.concat(parts).subarray(prefixBytes))
        else reject(new Error(`etcd: gRPC status ${String(status)}`))
      })
      const prefix = Buffer.alloc(prefixBytes)
      prefix.writeUInt32BE(message.length, 1)
      stream.end(Buffer.concat([prefix, message]))
    })
  }

  close(): void {
    this.#session?.destroy()
  }

  #connected(): ClientHttp2Session {
    const known = this.#session
    if (known !== undefined && !known.destroyed && !known.closed) return known
    const settings = { initialWindowSize: windowBytes }
    const session = connect(`http://${this.#address}`, { settings })
    session.on("connect", () => session.setLocalWindowSize(windowBytes))
    // The requests of the session fail with it, and the next one connects again.
    session.on("error", () => session.destroy())
    this.#session = session
    return session
  }
}

export interface Revision {
  readonly text: string
  readonly modified: number
}

export class EtcdClient {
  readonly #members: ReadonlyArray<Member>
  #calls = 0

  constructor(addresses: ReadonlyArray<string>) {
    this.#members = addresses.map((address) => new Member(address))
  }

  put(key: string, text: string): Promise<unknown> {
    return this.#call("Put", this.#putRequest(key, text))
  }

  async get(key: string): Promise<Revision> {
    const answer = await this.#call("Range", bytesOf(1, Buffer.from(key, "latin1")))
    const found = field(answer, 2, isBytes)
    if (found === undefined) return { text: "", modified: 0 }
    return {
      text: field(found, 5, isBytes)?.toString("latin1") ?? "",
      modified: field(found, 3, isNumber) ?? 0
    }
  }

  /** Puts if nobody has since; says whether it did. */
  async putUnlessModified(key: string, text: string, modified: number): Promise<boolean> {
    const modifiedIs = Buffer.concat([
      numberOf(2, 2),
      bytesOf(3, Buffer.from(key, "latin1")),
      numberOf(6, modified)
    ])
    const put = bytesOf(2, this.#putRequest(key, text))
    const answer = await this.#call(
      "Txn",
      Buffer.concat([bytesOf(1, modifiedIs), bytesOf(2, put)])
    )
    return field(answer, 2, isNumber) === 1
  }

  close(): void {
    for (const member of this.#members) member.close()
  }

  #putRequest(key: string, text: string): Uint8Array {
    return Buffer.concat([
      bytesOf(1, Buffer.from(key, "latin1")),
      bytesOf(2, Buffer.from(text, "latin1"))
    ])
  }

  #call(method: string, message: Uint8Array): Promise<Buffer> {
    const now = performance.now()
    const well = this.#members.filter(({ failedAt }) => now - failedAt >= restMillis)
    const members = well.length === 0 ? this.#members : well
    return members[this.#calls++ % members.length]!.call(method, message)
  }
}
