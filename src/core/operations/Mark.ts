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

/** Undefined where the text is no mark; the empty text is none. */
export const decode = (text: string): Mark | undefined => {
  const [incarnation = "", count = "", more] = text.split(".")
  const arrivals = Number(count)
  const isMark = incarnation !== "" && /^[0-9]{1,15}$/u.test(count) && more === undefined
  return isMark ? { incarnation, arrivals } : undefined
}
