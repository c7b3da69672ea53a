// Checks that a frame that comes again costs next to nothing: it is known before it is proved, and
// before anything of it is decoded.
import { countWork } from "../tooling/countWork.ts"
import { expect, it } from "vitest"
import { NodeId } from "../../src/core/model/Names.ts"
import { encode } from "../../src/transport/Frame.ts"
import { FrameGate } from "../../src/transport/FrameGate.ts"
import { testSeal } from "./testSeals.ts"

const from = NodeId.make("n2")
const subject = "everwrite.test.v1.peer.n1.from.n2"
const senderIncarnation = "0mi8dfxmoabcdef"

const sealed = (): Uint8Array => {
  const header = {
    cluster: "test",
    partitionCount: 16,
    senderIncarnation,
    number: 7,
    receiverIncarnation: senderIncarnation,
    clockMillis: 1
  }
  const frame = encode(header, { _tag: "Whole", messages: new Uint8Array(10_000) })
  testSeal.seal(subject, frame)
  return frame
}

const gate = () =>
  new FrameGate({
    runtime: { mark: () => {} },
    seal: testSeal,
    isMember: (node) => node === from,
    limits: { frameWindow: 64, frameWindowsMax: 2 }
  })

it("a repeated frame is known before it is proved, so that its other bytes do not matter", () => {
  const opening = gate()
  expect(opening.open({ from, subject, data: sealed() })).toBeDefined()
  const spoilt = sealed()
  spoilt.fill(0xff, 60)
  expect(opening.open({ from, subject, data: spoilt })).toBeUndefined()
  expect(opening.refusals).toMatchObject({ repeated: 1, forged: 0 })
})

it("a repeated frame is not decoded: it costs a small part of the work of a new one", () => {
  const opening = gate()
  const data = sealed()
  // Each is compiled before it is counted.
  gate().open({ from, subject, data })
  const first = countWork(() => void opening.open({ from, subject, data }))
  const again = countWork(() => void opening.open({ from, subject, data }))
  expect(opening.refusals.repeated).toBe(1)
  expect(again.blocks).toBeLessThan(first.blocks / 3)
})
