/**
 * Finds the known name that a misspelt one was meant to be, so that an error can say it.
 */

/** Insertions, removals and replacements from one text to the other. */
const distance = (left: string, right: string): number => {
  let row = Array.from({ length: right.length + 1 }, (_, column) => column)
  for (const [index, character] of Array.from(left).entries()) {
    const next = [index + 1]
    for (let column = 1; column <= right.length; column++) {
      const replaced = row[column - 1]! + (right[column - 1] === character ? 0 : 1)
      next.push(Math.min(replaced, row[column]! + 1, next[column - 1]! + 1))
    }
    row = next
  }
  return row[right.length]!
}

/** Letters alone tell names apart, without those that all begin with: `Time-Out` is `timeout`. */
const letters = (name: string): string =>
  name.toLowerCase().replaceAll(/[^a-z0-9]/gu, "").replace(/^everwrite/u, "")

/** No known name is longer, and the time to compare grows with the length. */
const lengthMax = 64

const beginningMin = 4

/** As `data_directory` and `data_dir` do. */
const shareBeginning = (left: string, right: string): boolean =>
  Math.min(left.length, right.length) >= beginningMin
  && (left.startsWith(right) || right.startsWith(left))

/**
 * The nearest of `known`; undefined where none is near: a third of the letters may differ, or one
 * goes on where the other ends.
 */
export const nearestName = (name: string, known: ReadonlyArray<string>): string | undefined => {
  if (name.length > lengthMax) return undefined
  const given = letters(name)
  const allowed = Math.floor(given.length / 3)
  let nearest: string | undefined
  let least = allowed + 1
  for (const each of known) {
    const differing = distance(given, letters(each))
    if (differing < least) [nearest, least] = [each, differing]
  }
  return nearest ?? known.find((each) => shareBeginning(given, letters(each)))
}

/** Names as a sentence has them: `a, b or c`. */
export const namesText = (names: ReadonlyArray<string>): string =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`
