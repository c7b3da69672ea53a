/**
 * Describes all that a declaration has of the application's code: its schemas and its merge, as
 * the node and the client run them on each request. Its functions throw, since a request has one
 * place that turns faults into errors; an application has `Result`s of the same (`Bucket`, `Key`).
 */
import type * as Schema from "effect/Schema"
import type { ValueCodec } from "./ValueCodec.ts"

/** The codecs of an operation's arguments, by its dotted name. */
export type ArgumentCodecs = ReadonlyMap<string, ReadonlyArray<ValueCodec<any>>>

export interface BucketCode {
  readonly key: ValueCodec<any>
  /** The arguments of each operation; those of a data type are also methods of a handle. */
  readonly arguments: ArgumentCodecs
  /** The one JSON of the arguments of an operation. Throws `SchemaMismatch`. */
  readonly normalizeArguments: (
    operation: string,
    args: ReadonlyArray<unknown>
  ) => ReadonlyArray<unknown>
  /** The view of the stored JSON values, at least one. Throws `SchemaMismatch`. */
  readonly decodeView: (values: ReadonlyArray<unknown>) => any
  /** JSON of a value. Throws `SchemaMismatch`. */
  readonly encodeValue: (value: any) => Schema.Json
  /** One canonical value for several, for strategies that make one on reading. */
  readonly merge: ((values: ReadonlyArray<string>) => string) | undefined
  /** The application merge as it was declared, for the law kit. */
  readonly applicationMerge: ((left: any, right: any) => unknown) | undefined
}
