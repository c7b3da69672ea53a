/**
 * Writes without end, until it is killed, and prints each acknowledged write.
 *
 * `node crashWriter.ts DIRECTORY FIRST_VERSION LOG_BYTES`: documents `s0` to `s63`, whose versions
 * ascend from FIRST_VERSION. Odd ones keep the version in their elements too: a torn write shows.
 */
import * as Effect from "effect/Effect"
import { openWorker } from "../../src/storage/WorkerStorage.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { crashIdentity, crashKey, documentCount, elementPaths } from "./crashDocuments.ts"
import { commit, put } from "./documents.ts"

const [directory = "", firstVersion = "0", logBytes = "0"] = process.argv.slice(2)
const writesInFlight = 100

// Kept as a whole: the lock of the directory goes with it, were it collected.
const storage = await Effect.runPromise(
  openWorker({
    directory,
    identity: crashIdentity,
    runtime: liveRuntime,
    limits: { logBytesMax: Number(logBytes), foldRowsMax: 16 }
  })
)
let version = Number(firstVersion)

const writeOn = async (): Promise<void> => {
  for (;;) {
    const mine = version++
    const number = mine % documentCount
    const key = crashKey(number)
    const text = String(mine)
    const paths = number % 2 === 0 ? [] : elementPaths
    // A new document needs all its elements; later versions change one of them, each in turn.
    const one = Math.floor(mine / documentCount) % elementPaths.length
    const changed = storage.service.read(key)._tag === "Found" ? paths.slice(one, one + 1) : paths
    const elements = Object.fromEntries(changed.map((path) => [path, text]))
    const failure = await commit(
      storage.service,
      put(key, text.padEnd(250, "."), elements, paths.length)
    )
    if (failure !== undefined) throw new Error(failure.detail)
    process.stdout.write(`${number} ${mine}\n`)
  }
}
await Promise.all(Array.from({ length: writesInFlight }, writeOn))
