/** Tests that a group comes out of its bytes as it went in. */
import * as fc from "fast-check"
import { expect, it } from "vitest"
import { GroupBuffers, pack, unpack } from "../../src/storage/WorkerProtocol.ts"
import { accepted, batchOf, bytesOf, keyOf, note, put, removal } from "./documents.ts"

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

it("a buffer that is given back holds the next group that fits, and no others are kept", () => {
  const buffers = new GroupBuffers({ groupBufferBytes: 1024, groupsInFlightMax: 2 })
  const [first, second, third] = [buffers.take(1), buffers.take(1), buffers.take(1)]
  buffers.giveBack([first, second, third])
  expect(buffers.take(1)).toBe(second)
  expect(buffers.take(1)).toBe(first)
  expect([first, second, third]).not.toContain(buffers.take(1))
  buffers.giveBack([first])
  const large = buffers.take(2048)
  expect(large.byteLength).toBeGreaterThan(2048)
  buffers.giveBack([large])
  expect(buffers.take(1)).not.toBe(large)
})

it("a group packed over another is unpacked without a trace of that one", () => {
  const one = [accepted(batchOf(put(keyOf("sa"), "x".repeat(500))))]
  const other = [accepted(batchOf(put(keyOf("sb"), "y")))]
  const buffer = new ArrayBuffer(4096)
  expect(unpack(pack(one, 600, buffer))).toEqual(one)
  expect(unpack(pack(other, 100, buffer))).toEqual(other)
})
