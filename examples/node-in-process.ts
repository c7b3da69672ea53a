/**
 * Runs a node inside a service: its data is a folder, its broker is in this process, and a request
 * to it is a function call. With `members` and `nats` the same program is one node of a cluster.
 *
 *     npx node --conditions=everwrite-source examples/node-in-process.ts [FOLDER]
 *
 * Run it twice on one folder, and it goes on counting.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Bucket, Crdt, Everwrite, Key } from "everwrite/effect"
import { EverwriteNode } from "everwrite/server"
import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

const Visits = Bucket.crdt("visits", {
  key: Key.text,
  type: Crdt.document({ count: Crdt.counter, visitors: Crdt.set(Schema.String) })
})

/** The service's own code knows the store alone, not where it runs. */
const visit = Effect.fnUntraced(function*(page: string, visitor: string) {
  const visits = yield* Everwrite.bucket(Visits)
  yield* visits.edit(page, (document) => [document.count.add(1), document.visitors.add(visitor)])
})

const report = Effect.fnUntraced(function*(page: string) {
  const visits = yield* Everwrite.bucket(Visits)
  const seen = yield* visits.get(page)
  console.log(`${page}: ${seen?.count ?? 0} visits by ${seen?.visitors.size ?? 0} visitors`)
})

const service = Effect.gen(function*() {
  const visitors = ["ada", "grace", "ada", "edsger", "ada"]
  yield* Effect.forEach(visitors, (visitor) => visit("home", visitor), { concurrency: 5 })
  yield* report("home")
})

const node = EverwriteNode.layer({
  buckets: [Visits],
  dataDir: process.argv[2] ?? await mkdtemp(join(tmpdir(), "everwrite-visits-")),
  nats: "embedded",
  http: false,
  clusterKey: "one secret for all nodes"
})

await Effect.runPromise(service.pipe(Effect.provide(node)))
