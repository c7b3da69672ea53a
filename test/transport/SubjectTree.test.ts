// Checks the subject tree against a matcher that compares token by token.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { kindOf, recipients, SubjectTree } from "../../src/transport/SubjectTree.ts"

/** Whether `pattern` takes `subject`, as the NATS documentation says it. */
const takes = (pattern: ReadonlyArray<string>, subject: ReadonlyArray<string>): boolean => {
  const [first, ...rest] = pattern
  if (first === undefined) return subject.length === 0
  if (first === ">") return subject.length > 0
  if (subject.length === 0) return false
  return (first === "*" || first === subject[0]) && takes(rest, subject.slice(1))
}

const subject = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 4 })
const pattern = fc.tuple(
  fc.array(fc.constantFrom("a", "b", "*"), { maxLength: 3 }),
  fc.constantFrom("a", "c", "*", ">")
).map(([tokens, last]) => [...tokens, last].join("."))

describe("the subject tree", () => {
  it("finds exactly the patterns that take a subject, after any additions and removals", () => {
    const change = fc.record({ adds: fc.boolean(), pattern })
    fc.assert(fc.property(fc.array(change, { maxLength: 40 }), subject, (changes, tokens) => {
      const tree = new SubjectTree<string>()
      const filed: Array<string> = []
      for (const { adds, pattern } of changes) {
        if (adds) {
          tree.add(pattern, pattern)
          filed.push(pattern)
        } else {
          tree.remove(pattern, pattern)
          const index = filed.indexOf(pattern)
          if (index >= 0) filed.splice(index, 1)
        }
      }
      const expected = filed.filter((one) => takes(one.split("."), tokens))
      expect(tree.match(tokens.join(".")).sort()).toEqual(expected.sort())
    }))
  })

  it("is bare again once everything that was added is removed", () => {
    fc.assert(fc.property(fc.array(pattern, { minLength: 1 }), (patterns) => {
      const tree = new SubjectTree<number>()
      patterns.forEach((pattern, i) => tree.add(pattern, i))
      expect(tree.isEmpty).toBe(false)
      patterns.forEach((pattern, i) => tree.remove(pattern, i))
      expect(tree.isEmpty).toBe(true)
    }))
  })
})

describe("the kind of a text", () => {
  it.each(["a", "a.b", "a*", "*a.b>", "$SYS.x", "ä.b", "a-b_c"])("%s is a subject", (text) => {
    expect(kindOf(text)).toBe("subject")
  })

  it.each(["*", ">", "a.*", "*.a", "a.*.b.>"])("%s is a pattern", (text) => {
    expect(kindOf(text)).toBe("pattern")
  })

  it.each(["", ".", "a.", ".a", "a..b", ">.a", "a.>.b", "a b", "a\tb", "a\r\n", "a\0", "\x7f"])(
    "%j is neither",
    (text) => {
      expect(kindOf(text)).toBe("malformed")
    }
  )
})

describe("the recipients of a message", () => {
  const interested = fc.array(fc.constantFrom(undefined, "q", "r", "s"))
    .map((queues) => queues.map((queue, id) => ({ queue, id })))

  it("are all without a queue, and one of each queue group", () => {
    fc.assert(fc.property(interested, fc.double({ min: 0, max: 0.999, noNaN: true }), (all, at) => {
      const chosen = recipients(all, (count) => Math.floor(at * count))
      const plain = all.filter(({ queue }) => queue === undefined)
      expect(chosen.filter(({ queue }) => queue === undefined)).toEqual(plain)
      const queues = chosen.flatMap(({ queue }) => queue === undefined ? [] : [queue])
      expect(queues.sort()).toEqual([...new Set(all.flatMap(({ queue }) => queue ?? []))].sort())
      expect(chosen.every((one) => all.includes(one))).toBe(true)
    }))
  })

  it("may be any member of a group", () => {
    const members = [0, 1, 2].map((id) => ({ queue: "q", id }))
    const chosen = members.map(({ id }) => recipients(members, () => id)[0]?.id)
    expect(chosen).toEqual([0, 1, 2])
  })
})
