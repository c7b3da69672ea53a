/**
 * Writes the standing of a store as text, for its row on disk.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Json from "../codec/Json.ts"
import { NodeId } from "../model/Names.ts"
import * as Certificate from "./Certificate.ts"
import type { Standing } from "./Formation.ts"

const Stored = Schema.Struct({
  formed: Schema.Boolean,
  own: Schema.Literals(["new", "named", "unnamed", "amnesiac"]),
  unsureSince: Schema.NullOr(Schema.Int),
  // Texts of earlier programs do not have it.
  unjudged: Schema.optionalKey(Schema.Array(Schema.Tuple([NodeId, Schema.Int]))),
  filledAs: Schema.optionalKey(Certificate.StoreName),
  stores: Certificate.StoreEntries
})
const decodeStored = Schema.decodeUnknownOption(Stored)

/** The text of a standing. */
export const encode = (standing: Standing): string => {
  const { certificate, filledAs, own, unjudged, unsureSince } = standing
  return JSON.stringify({
    formed: certificate.formed,
    own,
    unsureSince: unsureSince ?? null,
    unjudged: [...unjudged],
    ...filledAs === undefined ? {} : { filledAs },
    stores: Certificate.entries(certificate)
  })
}

/** Undefined where the text is of no standing. */
export const decode = (text: string): Standing | undefined => {
  const stored = Option.getOrUndefined(decodeStored(Json.read(text)))
  if (stored === undefined) return undefined
  const { filledAs, formed: isFormed, own, stores, unjudged, unsureSince } = stored
  return {
    certificate: { formed: isFormed, stores: new Map(stores) },
    own,
    unsureSince: unsureSince ?? undefined,
    unjudged: new Map(unjudged),
    filledAs
  }
}
