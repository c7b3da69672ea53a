/**
 * Numbers the zones and says how many owners of one partition may share one.
 */
import type { Member } from "./Membership.ts"

/** The zone of each member. A node without a zone fails alone, so it is a zone of its own. */
export const zonesOf = (members: ReadonlyArray<Member>): ReadonlyArray<number> => {
  const numbers = new Map<string, number>()
  let next = 0
  return members.map(({ zone }) => {
    if (zone === undefined) return next++
    const number = numbers.get(zone) ?? next++
    numbers.set(zone, number)
    return number
  })
}

/**
 * The least number of owners in one zone with which every list can still be filled: 1 where there
 * are as many zones as owners, and never all of a list where there are two zones.
 */
export const zoneCapOf = (zones: ReadonlyArray<number>, ownerCount: number): number => {
  const sizes = [...Map.groupBy(zones, (zone) => zone).values()].map((nodes) => nodes.length)
  let cap = 1
  while (sizes.reduce((sum, size) => sum + Math.min(size, cap), 0) < ownerCount) cap++
  return cap
}
