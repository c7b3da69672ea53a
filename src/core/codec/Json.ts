/**
 * Reads JSON as it is written. V8's `JSON.parse` does not always: where an object with a backslash
 * in a key has ever been made, a later text with the key `"\n"` may be read as if it had that one
 * (https://github.com/nodejs/node/issues/63785). One client could so change what another's write
 * means. Only keys with escapes are misread, so those are read as texts here, where V8 is right.
 */

export type Json =
  | null
  | boolean
  | number
  | string
  | ReadonlyArray<Json>
  | { readonly [key: string]: Json }

/** Every text of a JSON text; with the colon behind it, it is a key. */
const texts = /("(?:[^"\\]|\\.)*")(\s*:)?/gu

/**
 * The value of the text. The last of equal keys counts.
 *
 * Throws `SyntaxError` where the text is no JSON, `RangeError` where it nests too deep to be read.
 */
export const parse = (text: string): Json => {
  const parsed: Json = JSON.parse(text)
  if (!text.includes("\\")) return parsed
  const escaped: Array<string> = []
  // No marked key has an escape or is a number, which objects put first.
  const marked = text.replace(texts, (whole, token: string, colon: string | undefined) => {
    if (colon === undefined) return whole
    if (!token.includes("\\")) return `"=${token.slice(1)}${colon}`
    const key: unknown = JSON.parse(token)
    return `"${escaped.push(String(key)) - 1}-"${colon}`
  })
  if (escaped.length === 0) return parsed
  const unmark = (key: string): string =>
    key.startsWith("=") ? key.slice(1) : escaped[Number.parseInt(key, 10)]!
  return JSON.parse(
    marked,
    (_, value: unknown) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).map(([key, field]) => [unmark(key), field]))
        : value
  )
}

/** The value of the text, or undefined where it is no JSON that can be read. */
export const read = (text: string): Json | undefined => {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}

/**
 * Whether a text of JSON nests deeper. Counts brackets outside of texts, so that nothing recurses
 * into what it is to refuse.
 */
export const isDeeperThan = (text: string, levels: number): boolean => {
  let depth = 0
  let inText = false
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case "\\":
        i++
        break
      case "\"":
        inText = !inText
        break
      case "[":
      case "{":
        if (!inText && ++depth > levels) return true
        break
      case "]":
      case "}":
        if (!inText) depth--
    }
  }
  return false
}
