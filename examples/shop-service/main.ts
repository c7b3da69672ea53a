/**
 * Answers requests of a shop on `shop.cart.*`, over one connection to NATS that it shares with the
 * store. Run several of it: the broker gives each request to one of them.
 *
 *     NATS_URL=nats://... npx node --conditions=everwrite-source examples/shop-service/main.ts
 *
 * Nodes of the cluster `shop` may start later, and one of them may stop meanwhile.
 */
import { connect as connectToNats } from "@nats-io/transport-node"
import { connect, EverwriteError, Schema, toJson, viewOf } from "everwrite"
import { Profile } from "everwrite/schemas"
import * as ShoppingCart from "../../plugins/shoppingCart.ts"
import { buckets } from "./buckets.ts"

const servers = process.env["NATS_URL"] ?? "nats://127.0.0.1:4222"
const instance = process.env["INSTANCE"] ?? String(process.pid)

const connection = await connectToNats({ servers, name: `shop/${instance}` })
const db = await connect(buckets, {
  connection,
  cluster: "shop",
  wait: "1 minute",
  // A change of which nobody can tell, since its node died, is made again: carts and profiles are
  // the same then, and a visit may count twice.
  defaults: { consistency: "balanced", timeout: "2 seconds", ifUnknown: "apply" }
})

const customer = Schema.NonEmptyString
const item = Schema.NonEmptyString

/** A request's fields, and the answer to it. */
const route = <A>(
  fields: Schema.Codec<A, unknown>,
  answer: (request: A) => Promise<unknown>
) => {
  const decode = Schema.decodeUnknownSync(Schema.toCodecJson(fields))
  return (json: unknown) => answer(decode(json))
}

const shown = (cart = ShoppingCart.empty) => toJson(ShoppingCart.contents(cart))

const routes: Readonly<Record<string, (json: unknown) => Promise<unknown>>> = {
  add: route(
    Schema.Struct({ customer, item, pieces: Schema.Int, addition: Schema.NonEmptyString }),
    async ({ customer, ...change }) => {
      const cart = await db.carts.update(
        customer,
        (cart = ShoppingCart.empty) => ShoppingCart.add(cart, change)
      )
      return shown(viewOf(cart))
    }
  ),
  remove: route(Schema.Struct({ customer, item }), async ({ customer, item }) => {
    const cart = await db.carts.update(
      customer,
      (cart = ShoppingCart.empty) => ShoppingCart.remove(cart, item)
    )
    return shown(viewOf(cart))
  }),
  profile: route(
    Schema.Struct({ customer, profile: Profile.Profile }),
    async ({ customer, profile }) => toJson(viewOf(await db.profiles.put(customer, profile)))
  ),
  show: route(Schema.Struct({ customer }), async ({ customer }) => {
    await db.visits.add(customer, 1)
    const keys = [customer]
    // A part that cannot be read is null, and the page is shown all the same.
    const { carts, profiles, visits } = await db.many({ carts: keys, profiles: keys, visits: keys })
    return {
      cart: shown(viewOf(carts[0])),
      profile: toJson(viewOf(profiles[0])),
      visits: toJson(viewOf(visits[0]))
    }
  })
}

/** The answer to a request, or why there is none and whether it may be asked for again. */
const answerTo = async (name: string, json: () => unknown): Promise<object> => {
  try {
    const answer = Object.hasOwn(routes, name) ? routes[name] : undefined
    if (answer === undefined) return { instance, error: `there is no ${name}`, again: false }
    return { instance, value: await answer(json()) }
  } catch (error) {
    const again = error instanceof EverwriteError && error.isTransient
    return { instance, error: String(error), again }
  }
}

connection.subscribe("shop.cart.*", {
  queue: "shop",
  callback: (refused, request) => {
    if (refused !== null) return console.error(refused.message)
    const name = request.subject.replace("shop.cart.", "")
    void answerTo(name, () => request.json()).then((answer) =>
      request.respond(JSON.stringify(answer))
    )
  }
})
await connection.flush()
console.log(`${instance} answers shop.cart.*, nodes ${db.status().nodes.join(" ")}`)

process.once("SIGTERM", () => void db.close().then(() => connection.drain()))
