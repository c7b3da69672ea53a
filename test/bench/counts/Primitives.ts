/**
 * Lists the primitives that copy bytes, or take memory outside the heap, and how many bytes a call
 * of each copies or takes.
 *
 * Left out: loops of the program that copy byte by byte, strings that V8 joins, cuts or
 * flattens (the heap's figures have the memory of these), the methods of one encoding
 * (`utf8Write`), `fill`, hashes and ciphers, SQLite's own pages and files, and what the kernel
 * copies from and to sockets. A structured clone counts once, though it is written and then read.
 * Text counts one byte a character. A buffer of Buffer's pool counts its own bytes, not the pool's.
 */
import { Socket } from "node:net"
import { StatementSync } from "node:sqlite"
import { MessagePort } from "node:worker_threads"

export interface Call {
  readonly self: unknown
  readonly args: ReadonlyArray<unknown>
  readonly result: unknown
}

type Bytes = (call: Call) => number

export interface Primitive {
  readonly name: string
  readonly on: object
  readonly method: string
  readonly copied: Bytes
  /** Memory taken outside the heap. */
  readonly outside: Bytes
  /** The call runs the program on: it is counted before, and so is what it runs. */
  readonly runsOn?: true
}

const isBuffer = (value: unknown): value is ArrayBuffer | SharedArrayBuffer =>
  value instanceof ArrayBuffer || value instanceof SharedArrayBuffer

/** How many bytes a text, a buffer, a view or a list of numbers is. */
const sizeOf = (value: unknown): number => {
  if (typeof value === "string") return value.length
  if (ArrayBuffer.isView(value) || isBuffer(value)) return value.byteLength
  return Array.isArray(value) ? value.length : 0
}

/** V8 keeps the bytes of typed arrays that are no longer than this on its heap. */
const onHeapMax = 64
const beyondHeap = (bytes: number): number => bytes > onHeapMax ? bytes : 0

const nothing: Bytes = () => 0
const ofResult: Bytes = ({ result }) => sizeOf(result)
const outsideOfResult: Bytes = ({ result }) => beyondHeap(sizeOf(result))
const ofFirst: Bytes = ({ args }) => sizeOf(args[0])
const numberOf: Bytes = ({ result }) => typeof result === "number" ? result : 0
/** Of a view on a buffer nothing is copied. */
const unlessView = (bytes: Bytes): Bytes => (call) => isBuffer(call.args[0]) ? 0 : bytes(call)

const sum = (values: Iterable<unknown>, bytes: (value: unknown) => number): number => {
  let total = 0
  for (const value of values) total += bytes(value)
  return total
}

/** All of a buffer is cloned, however small the view on it is. */
const clonedBytes = (value: unknown, moved: ReadonlyArray<unknown>): number => {
  if (typeof value === "string") return value.length
  const buffer: unknown = ArrayBuffer.isView(value) ? value.buffer : value
  if (isBuffer(buffer)) return moved.includes(buffer) ? 0 : buffer.byteLength
  if (typeof value !== "object" || value === null) return 0
  return sum(Object.values(value), (inner) => clonedBytes(inner, moved))
}

const transferred = (options: unknown): ReadonlyArray<unknown> => {
  if (Array.isArray(options)) return options
  const named = typeof options === "object" && options !== null && "transfer" in options
  return named && Array.isArray(options.transfer) ? options.transfer : []
}

const cloned: Bytes = ({ args }) => clonedBytes(args[0], transferred(args[1]))

const cells = (rows: unknown): number => {
  if (typeof rows !== "object" || rows === null || ArrayBuffer.isView(rows)) return sizeOf(rows)
  return sum(Object.values(rows), cells)
}

const blobs = (rows: unknown): number => {
  if (ArrayBuffer.isView(rows)) return beyondHeap(rows.byteLength)
  return typeof rows === "object" && rows !== null ? sum(Object.values(rows), blobs) : 0
}

const statement = (method: string): Primitive => ({
  name: `SQLite ${method}`,
  on: StatementSync.prototype,
  method,
  copied: ({ args, result }) => sum(args, sizeOf) + (method === "run" ? 0 : cells(result)),
  outside: ({ result }) => method === "run" ? 0 : blobs(result)
})

const copying = (
  name: string,
  where: { readonly on: object; readonly method: string },
  bytes: { readonly copied: Bytes; readonly outside?: Bytes }
): Primitive => ({ name, ...where, copied: bytes.copied, outside: bytes.outside ?? nothing })

const allocating = (name: string, method: string): Primitive => ({
  ...copying(name, { on: Buffer, method }, { copied: nothing, outside: ofResult })
})

const typedArrays: typeof Uint8Array = Object.getPrototypeOf(Uint8Array)
const bytesAnew = { copied: ofResult, outside: outsideOfResult }

export const primitives: ReadonlyArray<Primitive> = [
  copying("TypedArray set", { on: typedArrays.prototype, method: "set" }, { copied: ofFirst }),
  copying("TypedArray slice", { on: typedArrays.prototype, method: "slice" }, bytesAnew),
  copying("TypedArray.from", { on: typedArrays, method: "from" }, bytesAnew),
  copying("ArrayBuffer slice", { on: ArrayBuffer.prototype, method: "slice" }, bytesAnew),
  copying("Buffer copy", { on: Buffer.prototype, method: "copy" }, { copied: numberOf }),
  copying("Buffer write", { on: Buffer.prototype, method: "write" }, { copied: numberOf }),
  copying("Buffer toString", { on: Buffer.prototype, method: "toString" }, { copied: ofResult }),
  copying("Buffer.concat", { on: Buffer, method: "concat" }, {
    copied: ofResult,
    outside: ofResult
  }),
  copying("Buffer.from", { on: Buffer, method: "from" }, {
    copied: unlessView(ofResult),
    outside: unlessView(ofResult)
  }),
  copying("TextEncoder encode", { on: TextEncoder.prototype, method: "encode" }, {
    copied: ofResult,
    outside: ofResult
  }),
  copying("TextEncoder encodeInto", { on: TextEncoder.prototype, method: "encodeInto" }, {
    copied: ({ result }) =>
      typeof result === "object" && result !== null && "written" in result
        ? Number(result.written)
        : 0
  }),
  copying("TextDecoder decode", { on: TextDecoder.prototype, method: "decode" }, {
    copied: ofFirst
  }),
  copying("JSON.parse", { on: JSON, method: "parse" }, { copied: ofFirst }),
  copying("JSON.stringify", { on: JSON, method: "stringify" }, { copied: ofResult }),
  copying("structuredClone", { on: globalThis, method: "structuredClone" }, { copied: cloned }),
  copying("postMessage", { on: MessagePort.prototype, method: "postMessage" }, { copied: cloned }),
  ...["run", "get", "all"].map((method) => statement(method)),
  allocating("Buffer.alloc", "alloc"),
  allocating("Buffer.allocUnsafe", "allocUnsafe"),
  allocating("Buffer.allocUnsafeSlow", "allocUnsafeSlow"),
  {
    name: "socket read",
    on: Socket.prototype,
    method: "push",
    copied: nothing,
    outside: ofFirst,
    runsOn: true
  }
]

/** Constructors: `new` with a length takes memory, with a list or a view it copies as well. */
export const constructors: ReadonlyArray<Primitive> = ["ArrayBuffer", "Uint8Array", "Float64Array"]
  .map((method) => ({
    name: `new ${method}`,
    on: globalThis,
    method,
    copied: ({ args, result }) =>
      typeof args[0] === "object" && !isBuffer(args[0]) ? sizeOf(result) : 0,
    outside: unlessView(outsideOfResult)
  }))

/**
 * The primitives that copy on changing the form: text to bytes, bytes to text, values to text. They
 * are not spared by handing bytes on as they are, as the other copies are.
 */
export const conversions: ReadonlySet<string> = new Set([
  "Buffer toString",
  "Buffer write",
  "TextEncoder encode",
  "TextEncoder encodeInto",
  "TextDecoder decode",
  "JSON.parse",
  "JSON.stringify"
])
