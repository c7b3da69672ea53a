/**
 * Defines the results of reads and writes: a value or its absence, always with its context, so
 * that the next write cannot lose it.
 */

import type * as Brand from "effect/Brand"

/**
 * The state of one document that a caller saw: opaque, sealed, bound to its bucket and key. It can
 * be kept or sent as text (a header, a form field) and read back with `contextOf`.
 */
export type CausalContext<Name extends string> = string & Brand.Brand<`context of ${Name}`>

interface Seen<Name extends string, K> {
  readonly bucket: Name
  readonly key: K
  readonly context: CausalContext<Name>
  /** Replicas that had answered. */
  readonly replied: number
  /**
   * There, and true, where the session has seen something that is lost for ever, with the disks or
   * the memory that had it. It is told once.
   */
  readonly lost?: true
}

export interface Found<Name extends string, K, View> extends Seen<Name, K> {
  readonly _tag: "Found"
  readonly value: View
  /** How many concurrent values this one was made from; 1 where there was no conflict. */
  readonly siblings: number
}

export interface Absent<Name extends string, K> extends Seen<Name, K> {
  readonly _tag: "Absent"
}

export type Entry<Name extends string, K, View> = Found<Name, K, View> | Absent<Name, K>

/**
 * The write was carried out, and its document is not shown with it: it is more than a client takes,
 * or than there was room for, or it cannot be read. The context is there for the next write; the
 * next read shows the document, or says why not.
 */
export interface Unshown<Name extends string, K> extends Seen<Name, K> {
  readonly _tag: "Unshown"
}

/** The outcome of a write: the document as it is then, where it is shown. */
export type Written<Name extends string, K, View> = Entry<Name, K, View> | Unshown<Name, K>

/** Any outcome of a read or a write, also one of many. */
interface Outcome {
  readonly _tag: string
}

type ViewIn<E> = E extends { readonly _tag: "Found"; readonly value: infer View } ? View : undefined

/**
 * The value of an entry; undefined where nothing is stored, where a write was answered without its
 * value, and where a read of many failed.
 */
export const viewOf = <E extends Outcome | undefined>(entry: E): ViewIn<E> | undefined => {
  const found: any = entry?._tag === "Found" ? entry : undefined
  return found?.value
}

/** Reads back a context that was kept as text. A node refuses it if it is not one of its own. */
export const contextOf = <const Name extends string>(
  _bucket: { readonly name: Name },
  text: string
): CausalContext<Name> => {
  const branded: any = text
  return branded
}
