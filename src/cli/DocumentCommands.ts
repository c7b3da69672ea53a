/**
 * Reads and writes single documents: `get`, `put`, `del`, and `do` for the operations of a bucket's
 * type.
 *
 * `put` and `del` replace the value that the caller would see, so they read first where it matters:
 * a blind write to a bucket of siblings would stand beside the value instead of replacing it (`do
 * BUCKET KEY put VALUE` still writes blindly).
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { RequestBody } from "../../schemas/ClientRequest.ts"
import type { Action, Backend, BackendAnswer } from "../client/Backend.ts"
import { nameFault } from "../core/model/OperationName.ts"
import type { StoreError } from "../core/model/StoreError.ts"
import {
  ask,
  bucketName,
  connected,
  requestFields,
  type RequestFlags,
  requestFlags
} from "./Connection.ts"
import { Misuse, NotFound } from "./Failure.ts"
import * as Input from "./Input.ts"
import * as Output from "./Output.ts"

const bucket = Argument.String("bucket")
const key = Argument.String("key").pipe(
  Argument.withDescription("a text, or its fields: '{\"tenant\":\"acme\",\"id\":\"u1\"}'")
)
const documentFlags = { ...requestFlags, bucket, key }
const writeFlags = {
  ...documentFlags,
  id: Flag.String("id").pipe(
    Flag.optional,
    Flag.withDescription("names this write: given again, it is answered and not applied again")
  ),
  "if-unknown": Flag.Literals("if-unknown", ["fail", "apply"]).pipe(
    Flag.optional,
    Flag.withDescription("where nobody can tell whether it was applied before; fail unless given")
  )
}

interface DocumentFlags extends RequestFlags {
  readonly bucket: string
  readonly key: string
}

interface WriteFlags extends DocumentFlags {
  readonly id: Option.Option<string>
  readonly "if-unknown": Option.Option<"fail" | "apply">
}

type Sent = Omit<Partial<RequestBody>, "key">

const send = Effect.fnUntraced(function*(
  backend: Backend,
  options: {
    readonly action: Action
    readonly flags: DocumentFlags
    readonly sent: Sent
    readonly id?: string | undefined
  }
): Effect.fn.Return<BackendAnswer, StoreError | Misuse> {
  const { action, flags, id, sent } = options
  const name = yield* bucketName(flags.bucket)
  const body = { ...requestFields(flags), key: Input.key(flags.key), merge: true, ...sent }
  return yield* ask<BackendAnswer>((respond) =>
    backend.request(
      { action, bucket: name, body, ...(id === undefined ? {} : { id }) },
      respond
    )
  )
})

const read = (backend: Backend, flags: DocumentFlags, sent: Sent = {}) =>
  send(backend, { action: "read", flags, sent })

const write = (backend: Backend, flags: WriteFlags, sent: Sent) => {
  const ifUnknown = Option.getOrUndefined(flags["if-unknown"])
  const id = Option.getOrUndefined(flags.id)
  const chosen = ifUnknown === undefined ? sent : { ...sent, ifUnknown }
  const fault = id === undefined ? undefined : nameFault(id)
  if (fault !== undefined) return Effect.fail(fault)
  return send(backend, { action: "write", flags, sent: chosen, id })
}

const print = Effect.fnUntraced(function*(answer: BackendAnswer, flags: DocumentFlags) {
  const { context, replied, siblings, values } = answer
  if (flags.json) return yield* Output.json({ values, context, replied, siblings })
  for (const value of values) yield* Output.json(value)
  if (values.length > 1) {
    yield* Output.note(`${values.length} siblings: concurrent writes that have not been merged`)
  }
})

const absent = ({ bucket, key }: DocumentFlags) => new NotFound({ bucket, key })

export const get = Command.make(
  "get",
  documentFlags,
  (flags) =>
    connected(flags, (backend) =>
      Effect.gen(function*() {
        const answer = yield* read(backend, flags)
        yield* print(answer, flags)
        if (answer.values.length === 0) return yield* absent(flags)
      }))
).pipe(Command.withDescription("Read a document"))

export const put = Command.make(
  "put",
  {
    ...writeFlags,
    value: Argument.String("value").pipe(
      Argument.optional,
      Argument.withDescription("JSON; - or nothing reads it from standard input")
    )
  },
  (flags) =>
    connected(flags, (backend) =>
      Effect.gen(function*() {
        const value = yield* Input.value(flags.value)
        const { context } = yield* read(backend, flags, { r: "one" })
        const calls = [{ name: "put", args: [value] }]
        yield* print(yield* write(backend, flags, { calls, context }), flags)
      }))
).pipe(Command.withDescription("Write a whole document, in place of the stored one"))

export const del = Command.make(
  "del",
  writeFlags,
  (flags) =>
    connected(flags, (backend) =>
      Effect.gen(function*() {
        const { context, values } = yield* read(backend, flags)
        if (values.length === 0) return yield* absent(flags)
        const calls = [{ name: "delete", args: [] }]
        yield* print(yield* write(backend, flags, { calls, context }), flags)
      }))
).pipe(Command.withDescription("Delete the present values of a document"))

export const operate = Command.make(
  "do",
  {
    ...writeFlags,
    operation: Argument.String("operation").pipe(
      Argument.withDescription("such as lines.add; `ls` shows those of a bucket")
    ),
    args: Argument.String("arg").pipe(
      Argument.variadic(),
      Argument.withDescription(
        "JSON, or text where it is not JSON; after -- where it begins with -"
      )
    )
  },
  (flags) =>
    connected(flags, (backend) =>
      Effect.gen(function*() {
        const calls = [{
          name: flags.operation,
          args: flags.args.map((typed) => Input.jsonOrText(typed))
        }]
        yield* print(yield* write(backend, flags, { calls }), flags)
      }))
).pipe(Command.withDescription("Carry out an operation of a bucket's type"))
