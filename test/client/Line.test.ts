// Checks the line in which requests wait against a plain list.
import * as fc from "fast-check"
import { expect, it } from "vitest"
import { Line } from "../../src/client/Line.ts"

it("a line gives what joined it, from either end, in order", () => {
  const steps = fc.array(fc.constantFrom("push", "push", "shift", "pop"), { maxLength: 200 })
  fc.assert(fc.property(steps, (names) => {
    const line = new Line<number>()
    const model: Array<number> = []
    names.forEach((name, i) => {
      if (name === "push") {
        line.push(i)
        model.push(i)
      } else {
        expect(name === "pop" ? line.pop() : line.shift())
          .toBe(name === "pop" ? model.pop() : model.shift())
      }
      expect([line.size, line.first]).toEqual([model.length, model[0]])
    })
  }))
})
