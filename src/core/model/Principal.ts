/**
 * Names the client: the identity that a way in has proved for a request, or that it has proved
 * none.
 *
 * It goes with the request to the node that carries it out, since only the first node speaks with
 * the client. Nothing is allowed or refused by it yet.
 */
import * as Schema from "effect/Schema"

/** A client of whom nothing is known. */
const Anonymous = Schema.TaggedStruct("Anonymous", {})

/** A user whom the NATS server has authenticated. */
const NatsUser = Schema.TaggedStruct("NatsUser", {
  name: Schema.NonEmptyString.check(Schema.isMaxLength(256))
})

export const Principal = Schema.Union([Anonymous, NatsUser])
export type Principal = typeof Principal.Type

export const anonymous: Principal = { _tag: "Anonymous" }
