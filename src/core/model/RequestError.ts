/**
 * Defines what all errors of requests have in common, as their one base class.
 */
import * as Schema from "effect/Schema"

/**
 * The errors after which the same request may succeed later, or at another node. The others stay
 * until the request, a declaration, a right or a value is another one.
 */
const transientTags: ReadonlySet<string> = new Set([
  "ContextNotCovered",
  "ListingIncomplete",
  "NoAnswer",
  "NodeUnavailable",
  "NodeUnwritable",
  "OperationUnknown",
  "Overloaded",
  "QuorumNotMet",
  "StaleMark",
  "TransportUnavailable"
])

/** The request that failed, as its caller gave it. */
export interface RequestPlace {
  readonly bucket: string
  readonly key: unknown
  /** Of a write, the names of its operations; of a read, `get`. */
  readonly operation: string
}

/** Any error of a request, or of a connection: `instanceof` tells it from faults of programs. */
export class EverwriteError extends Schema.Error<EverwriteError>("EverwriteError")({}) {
  /** The request that failed; left out where none did, and of errors of a whole node. */
  declare readonly request?: RequestPlace
  /**
   * Whether the same request may succeed later with nothing changed about it. A write of which
   * `mayHaveApplied` is true may then count twice, unless it has a name (`id`).
   */
  get isTransient(): boolean {
    const stays = ("isDenied" in this && this.isDenied === true)
      || ("isMisconfigured" in this && this.isMisconfigured === true)
    return "_tag" in this && transientTags.has(String(this._tag)) && !stays
  }
}

/** The base of one error, as `Schema.TaggedError` makes one. */
export const requestError =
  <Self>() =>
  <const Tag extends string, const Fields extends Schema.Struct.Fields>(
    tag: Tag,
    fields: Fields
  ) => EverwriteError.extend<Self>(tag)({ _tag: Schema.tag(tag), ...fields })
