/**
 * Orders the keys of maps as all encodings have them, so that equal maps have equal bytes.
 */

const isAscending = (keys: ReadonlyArray<string>): boolean => {
  for (let i = 1; i < keys.length; i++) if (keys[i - 1]! > keys[i]!) return false
  return true
}

/** The keys in the order of their UTF-16 units. Maps that were decoded have that order already. */
export const sortedKeys = <A>(map: ReadonlyMap<string, A>): ReadonlyArray<string> => {
  const keys = [...map.keys()]
  return isAscending(keys) ? keys : keys.sort()
}
