/**
 * Remembers what one session has seen of each document, so that its reads never go back: a read
 * covers everything that the session read or wrote there before, or fails in a way to retry.
 *
 * Tokens are opaque here. Requests that ran side by side leave several; the next request sends
 * all of them, and its answer covers and replaces them.
 */

export interface Session {
  /** The contexts that the next answer for this document must cover. */
  readonly contexts: (document: string) => ReadonlyArray<string>
  /** Takes the context of an answer, which covers those that were sent with the request. */
  readonly saw: (
    document: string,
    seen: { readonly context: string; readonly covers: ReadonlyArray<string> }
  ) => void
  /** Whether another document can be remembered. */
  readonly hasRoom: (document: string) => boolean
}

const nothing: ReadonlyArray<string> = []

/** Remembers nothing, and asks for nothing. */
export const none: Session = { contexts: () => nothing, saw: () => {}, hasRoom: () => true }

export const make = (documentsMax: number): Session => {
  const seen = new Map<string, ReadonlyArray<string>>()
  return {
    contexts: (document) => seen.get(document) ?? nothing,
    saw: (document, { context, covers }) => {
      const others = (seen.get(document) ?? []).filter((token) => !covers.includes(token))
      seen.set(document, [...others.filter((token) => token !== context), context])
    },
    hasRoom: (document) => seen.has(document) || seen.size < documentsMax
  }
}
