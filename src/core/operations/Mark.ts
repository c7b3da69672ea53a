/**
 * Marks a point in the memory of one node: how many arrivals it had noted in this incarnation. Its
 * node gives it with every answer, and a request brings it back: all that the node has done since
 * then is remembered, or the mark is stale.
 *
 * As text it is the incarnation, a dot, and the count.
 */
export interface Mark {
  readonly incarnation: string
  readonly arrivals: number
}

export const encode = ({ arrivals, incarnation }: Mark): string => `${incarnation}.${arrivals}`

const zero = 0x30
/** More would not be exact. */
const mostDigits = 15

/** Undefined where the text is no mark; the empty text is none. */
export const decode = (text: string): Mark | undefined => {
  const dot = text.indexOf(".")
  const digits = text.length - dot - 1
  if (dot < 1 || digits < 1 || digits > mostDigits) return undefined
  let arrivals = 0
  for (let at = dot + 1; at < text.length; at++) {
    const digit = text.charCodeAt(at) - zero
    if (digit < 0 || digit > 9) return undefined
    arrivals = arrivals * 10 + digit
  }
  return { incarnation: text.slice(0, dot), arrivals }
}
