// Checks what a remote client concludes where the broker refuses its messages.
import { describe, expect, it } from "vitest"
import { begin, done } from "./beginRequest.ts"

/** The broker refuses the last message to a subject that it has not refused yet. */
const deny = ({ request }: ReturnType<typeof begin>, subject: string): number => {
  const message = request.lastMessageTo(subject)
  request.denied(message, { right: "publish", subject })
  return message
}

describe("a write that the broker refuses", () => {
  it("ends at once, and was not applied", () => {
    const asked = begin({})
    expect(deny(asked, "to n2")).toBe(0)
    expect(asked.outcomes).toEqual([])
    expect(deny(asked, "to n1")).toBe(1)
    expect(asked.outcomes).toEqual(["AccessDenied"])
    expect(asked.tos()).toEqual(["n1"])
  })

  it("may have applied where the right was taken away after it was sent before", () => {
    const asked = begin({})
    asked.request.resend()
    expect([deny(asked, "to n1"), deny(asked, "to n1")]).toEqual([2, 0])
    expect(asked.outcomes).toEqual([])
    asked.answer(done)
    expect(asked.outcomes).toEqual(["Answer"])
    const late = begin({})
    late.request.resend()
    deny(late, "to n1")
    late.request.expire()
    expect(late.outcomes).toEqual(["NoAnswer, maybe applied"])
  })

  it("waits for another node that owes an answer", () => {
    const asked = begin({})
    asked.request.resend()
    asked.request.resend()
    expect(deny(asked, "to n2")).toBe(3)
    expect(asked.outcomes).toEqual([])
    asked.request.answer(done, 0)
    expect(asked.outcomes).toEqual(["Answer"])
  })

  it("ends at once where no answer reaches its client, and tells if it may have applied", () => {
    const denial = { right: "subscribe", subject: "_INBOX.x.*" } as const
    const asked = begin({})
    asked.request.cutOff(denial)
    const unsent = begin({}, { nodes: [] })
    unsent.request.cutOff(denial)
    expect(asked.outcomes).toEqual(["AccessDenied, maybe applied"])
    expect(unsent.outcomes).toEqual(["AccessDenied"])
  })
})
