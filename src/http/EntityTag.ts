/**
 * Tells a reader that what it has is still what is shown: entity tags, and `If-None-Match`.
 *
 * @see RFC 9110, sections 8.8.3 and 13.1.2
 */
import { sha256Text } from "../core/Hash.ts"
import { InvalidRequest } from "../core/model/StoreError.ts"

/**
 * The tag of an answer to a read.
 *
 * **Guarantees** that two answers with one tag show the same and have the same context, so that who
 * keeps the older one can go on from it.
 */
export const entityTag = (parts: ReadonlyArray<string>): string =>
  `"${sha256Text(JSON.stringify(parts))}"`

const tags = /^(?:\*|(?:W\/)?"[^"]*"(?:\s*,\s*(?:W\/)?"[^"]*")*)$/u

/** Why a text is no list of tags; undefined where it is one, or there is none. */
export const tagsFault = (given: string | undefined): InvalidRequest | undefined =>
  given === undefined || tags.test(given.trim()) ? undefined : new InvalidRequest({
    setting: "if-none-match",
    value: "not valid",
    expected: "* or tags in quotes, with commas between them"
  })

/** Whether a reader that names what it has, has this. */
export const isKnown = (given: string | undefined, tag: string): boolean =>
  given !== undefined
  && (given.trim() === "*"
    || Array.from(given.matchAll(/"[^"]*"/gu), ([each]) => each).includes(tag))
