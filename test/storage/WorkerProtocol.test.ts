/** Tests that a group comes out of its bytes as it went in. */
import * as fc from "fast-check"
import { expect, it } from "vitest"
import { pack, unpack } from "../../src/storage/WorkerProtocol.ts"
import { accepted, bytesOf, keyOf, note, put, removal } from "./documents.ts"

it("a packed group is unpacked as the batches that it was", () => {
  const batches = [
    accepted({ documents: [], rows: [] }),
    accepted({
      documents: [removal(keyOf("s\u{1F6D2}")), put(keyOf("sa"), "", { a: "1", b: undefined }, 4)],
      rows: [
        { family: "hint", key: ["n\u{1F6D2}", 2 ** 40], bytes: bytesOf("hint") },
        { family: "leaf", key: [255, 256], bytes: undefined },
        { family: "index", key: ["i", "", 0, "s", "i1"], bytes: new Uint8Array(0) },
        { family: "operation", key: [0, 2 ** 32], bytes: bytesOf("x".repeat(1000)) },
        note("incarnation", "1")
      ]
    }, Number.MAX_SAFE_INTEGER)
  ]
  fc.assert(fc.property(fc.nat({ max: 5000 }), (bytes) => {
    expect(unpack(pack(batches, bytes))).toEqual(batches)
  }))
})
