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
import type { BucketBody } from "../../schemas/ClusterDescription.ts"
import type { Action, Backend, BackendAnswer } from "../client/Backend.ts"
import type { Json } from "../core/codec/Json.ts"
import { InvalidValue, type StoreError } from "../core/model/StoreError.ts"
import { nameFault } from "../core/model/WriteName.ts"
import {
  ask,
  connected,
  describedBucket,
  requestFields,
  type RequestFlags,
  requestFlags
} from "./Connection.ts"
import { NotFound } from "./Failure.ts"
import { Variables } from "./Help.ts"
import * as Input from "./Input.ts"
import * as Output from "./Output.ts"
import { connectionVariables } from "./SecretVariables.ts"

const bucket = Argument.String("bucket")
const key = Argument.String("key").pipe(
  Argument.withDescription(
    "a text, as it is; where keys have fields, JSON of them: '{\"tenant\":\"acme\",\"id\":\"u1\"}'"
  )
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
  ),
  show: Flag.Literals("show", ["small", "always"]).pipe(
    Flag.optional,
    Flag.withDescription("whether a document is printed however large it is; small unless given")
  )
}

interface DocumentFlags extends RequestFlags {
  readonly bucket: string
  readonly key: string
}

interface WriteFlags extends DocumentFlags {
  readonly id: Option.Option<string>
  readonly "if-unknown": Option.Option<"fail" | "apply">
  readonly show: Option.Option<"small" | "always">
}

/** A document of a cluster, and how it is asked for. */
interface Asked {
  readonly backend: Backend
  readonly flags: DocumentFlags
  readonly bucket: BucketBody
  readonly key: Json
}

const asked = Effect.fnUntraced(function*(backend: Backend, flags: DocumentFlags) {
  const bucket = yield* describedBucket(backend, flags.bucket)
  const key = yield* Input.key(bucket, flags.key)
  return { backend, flags, bucket, key }
})

type Sent = Omit<Partial<RequestBody>, "key">

const send = (
  { backend, bucket, flags, key }: Asked,
  action: Action,
  sent: Sent,
  id?: string
) => {
  const body = { ...requestFields(flags), key, merge: true, ...sent }
  const { name } = bucket.definition
  const named = id === undefined ? {} : { id }
  return ask<BackendAnswer>((respond) =>
    backend.request({ action, bucket: name, body, ...named }, respond)
  )
}

const read = (document: Asked, sent: Sent = {}) => send(document, "read", sent)

const write = (document: Asked, flags: WriteFlags, sent: Sent) => {
  const ifUnknown = Option.getOrUndefined(flags["if-unknown"])
  const id = Option.getOrUndefined(flags.id)
  const fault = id === undefined ? undefined : nameFault(id)
  if (fault !== undefined) return Effect.fail(fault)
  const show = Option.getOrUndefined(flags.show)
  const asks = {
    ...ifUnknown === undefined ? {} : { ifUnknown },
    ...show === undefined ? {} : { show }
  }
  return send(document, "write", { ...sent, ...asks }, id)
}

const print = Effect.fnUntraced(function*(
  answer: BackendAnswer,
  flags: DocumentFlags,
  { blind = false }: { readonly blind?: boolean } = {}
) {
  const { context, lost, replied, siblings, unshown, values } = answer
  if (flags.json) {
    const told = {
      ...lost === true ? { lost } : {},
      ...unshown === true ? { unshown } : {},
      ...blind ? { blind } : {}
    }
    return yield* Output.json({ values, context, replied, siblings, ...told })
  }
  if (lost === true) {
    yield* Output.note("lost: the session had seen something that no node has any more")
  }
  if (blind) yield* Output.note("nothing could be read, so this write replaced nothing")
  if (unshown === true) yield* Output.note("done; the document is not shown: read it")
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
        const answer = yield* read(yield* asked(backend, flags))
        yield* print(answer, flags)
        if (answer.values.length === 0) return yield* absent(flags)
      }))
).pipe(
  Command.withDescription("Read a document"),
  Command.annotate(Variables, connectionVariables),
  Command.withExamples([
    { command: "everwrite get scratch hello" },
    { command: "everwrite get profiles '{\"tenant\":\"acme\",\"id\":\"ada\"}' --r all" },
    { command: "everwrite get carts alice --url nats://127.0.0.1:4222" }
  ])
)

/** The value is the one argument of a put, so the path to a fault begins in it. */
const inValue = (error: StoreError): StoreError => {
  if (!(error instanceof InvalidValue)) return error
  const { bucket, path, problem } = error
  return new InvalidValue({ bucket, path: path.replace(/^\$\[0\]/u, "$"), problem })
}

/**
 * The context of the values that a write is to replace. A node can take a write where none can say
 * what is stored: then the write replaces nothing.
 */
const seenBefore = (document: Asked) =>
  read(document, { r: "one" }).pipe(
    Effect.map(({ context }): Sent => ({ context })),
    Effect.catchTag("QuorumNotMet", () => Effect.succeed<Sent>({}))
  )

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
        const value = yield* Input.value(flags.bucket, flags.value)
        const document = yield* asked(backend, flags)
        const seen = yield* seenBefore(document)
        const calls = [{ name: "put", args: [value] }]
        const written = Effect.mapError(write(document, flags, { calls, ...seen }), inValue)
        yield* print(yield* written, flags, { blind: seen.context === undefined })
      }))
).pipe(
  Command.withDescription("Write a whole document, in place of the stored one"),
  Command.annotate(Variables, connectionVariables),
  Command.withExamples([
    { command: "everwrite put scratch hello '\"world\"'" },
    { command: "everwrite put scratch hello < hello.json" },
    {
      command: "everwrite put scratch hello '\"world\"' --consistency available",
      description: "on a node that is cut off from the others"
    }
  ])
)

export const del = Command.make(
  "del",
  writeFlags,
  (flags) =>
    connected(flags, (backend) =>
      Effect.gen(function*() {
        const document = yield* asked(backend, flags)
        const { context, values } = yield* read(document)
        if (values.length === 0) return yield* absent(flags)
        const calls = [{ name: "delete", args: [] }]
        yield* print(yield* write(document, flags, { calls, context }), flags)
      }))
).pipe(
  Command.withDescription("Delete the present values of a document"),
  Command.annotate(Variables, connectionVariables),
  Command.withExamples([{ command: "everwrite del scratch hello" }])
)

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
        "JSON, or text where it is not JSON; the key of an entry as text; "
          + "after -- where it begins with -"
      )
    )
  },
  (flags) =>
    connected(flags, (backend) =>
      Effect.gen(function*() {
        const document = yield* asked(backend, flags)
        const args = yield* Input.args(document.bucket, flags.operation, flags.args)
        const calls = [{ name: flags.operation, args }]
        yield* print(yield* write(document, flags, { calls }), flags)
      }))
).pipe(
  Command.withDescription("Carry out an operation of a bucket's type"),
  Command.annotate(Variables, connectionVariables),
  Command.withExamples([
    { command: "everwrite do carts alice lines.add apple 2" },
    { command: "everwrite do visits home add 1 --id order-17" },
    { command: "everwrite do visits home add -3" }
  ])
)
