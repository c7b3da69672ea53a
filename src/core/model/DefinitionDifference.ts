/**
 * Says in what two definitions of one bucket differ, for people: nodes compare fingerprints, which
 * tell only that they do.
 */
import type { BucketDefinition } from "./BucketDefinition.ts"
import * as CanonicalJson from "./CanonicalJson.ts"

const shownLengthMax = 200

const shown = (value: unknown): string => {
  const text = CanonicalJson.encode(value)
  return text.length > shownLengthMax ? `${text.slice(0, shownLengthMax)}...` : text
}

/** Those that must be equal wherever a bucket is used; others only steer requests. */
const fields = ["strategy", "key"] as const

/** A line for each difference; none where the fingerprints differ by something else. */
export const differences = (
  here: BucketDefinition,
  there: BucketDefinition
): ReadonlyArray<string> => {
  const differing = fields.map((field) => [field, shown(here[field]), shown(there[field])] as const)
    .filter(([, own, other]) => own !== other)
    .map(([field, own, other]) => `its ${field} is ${own} here and ${other} there`)
  return here.schema === there.schema
    ? differing
    : [...differing, "the schema of its values is another one here"]
}
