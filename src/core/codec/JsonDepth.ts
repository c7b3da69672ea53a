/**
 * Counts how deep a text of JSON nests, before anything reads it.
 */

const quote = 0x22
const backslash = 0x5c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/** The place behind the text that begins at a quote. */
export const endOfText = (text: string, start: number): number => {
  let end = text.indexOf("\"", start + 1)
  while (end >= 0 && isEscaped(text, end)) end = text.indexOf("\"", end + 1)
  return end < 0 ? text.length : end + 1
}

/** Whether the backslashes before a place are odd in number. */
const isEscaped = (text: string, at: number): boolean => {
  let before = at
  while (text.charCodeAt(before - 1) === backslash) before--
  return (at - before) % 2 === 1
}

/** Whether a text has more brackets that open than that, those in texts too. */
const hasBrackets = (text: string, count: number): boolean => {
  if (text.length <= count) return false
  let left = count
  for (const bracket of ["[", "{"]) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      if (left-- === 0) return true
    }
  }
  return false
}

/**
 * Whether a text of JSON nests deeper. Counts brackets outside of texts, so that nothing recurses
 * into what it is to refuse.
 */
export const isDeeperThan = (text: string, levels: number): boolean => {
  if (!hasBrackets(text, levels)) return false
  let depth = 0
  let at = 0
  while (at < text.length) {
    const unit = text.charCodeAt(at)
    if (unit === quote) {
      at = endOfText(text, at)
      continue
    }
    if (unit === openBracket || unit === openBrace) {
      if (++depth > levels) return true
    } else if (unit === closeBracket || unit === closeBrace) depth--
    at++
  }
  return false
}
