// Checks the rows of hints: each comes back as it was written, and other bytes are none.
import { describe, expect, it } from "vitest"
import * as HintRow from "../../src/replica/HintRow.ts"

const hint: HintRow.HintRow = {
  key: { partition: 300, bucket: "notes", partitionKey: "sk", sortKey: "" },
  fingerprint: "0123456789abcdef",
  sinceMillis: 1_700_000_000_000,
  bytes: 700
}
/** Bytes of version 1, which every later version reads. */
const golden = "011030313233343536373839616263646566ac02056e6f74657302736b0080d095ffbc31bc05"

describe("the row of a hint", () => {
  it("comes back as it was written, in the same bytes for ever", () => {
    const bytes = HintRow.encode(hint)
    expect(Buffer.from(bytes).toString("hex")).toBe(golden)
    expect(HintRow.decode(bytes)).toEqual(hint)
  })

  it("is none where it is cut off, goes on, or has another version", () => {
    const bytes = HintRow.encode(hint)
    for (let length = 0; length < bytes.length; length++) {
      expect(HintRow.decode(bytes.subarray(0, length))).toBeUndefined()
    }
    expect(HintRow.decode(Uint8Array.of(...bytes, 0))).toBeUndefined()
    expect(HintRow.decode(Uint8Array.of(2, ...bytes.subarray(1)))).toBeUndefined()
  })
})
