/** Tests the bounds of sequence numbers, which no run reaches. */
import { expect, it } from "vitest"
import { InvariantViolation } from "../../src/core/Invariant.ts"
import { epochMax, numbersInEpoch, SequenceNumbers } from "../../src/storage/SequenceNumbers.ts"

it("the greatest number of the last epoch is a safe integer", () => {
  expect(Number.isSafeInteger((epochMax + 1) * numbersInEpoch - 1)).toBe(true)
  expect(new SequenceNumbers(epochMax).next(0)).toBe(epochMax * numbersInEpoch)
})

it("numbers of one partition ascend by one, and those of a later epoch are greater", () => {
  const [earlier, later] = [new SequenceNumbers(1), new SequenceNumbers(2)]
  expect([7, 7, 8, 7].map((partition) => earlier.next(partition) - numbersInEpoch))
    .toEqual([0, 1, 0, 2])
  expect(later.next(7)).toBe(2 * numbersInEpoch)
})

it.each([0, -1, 1.5, Number.NaN, epochMax + 1])("an epoch of %d breaks a promise", (epoch) => {
  expect(() => new SequenceNumbers(epoch)).toThrow(InvariantViolation)
})
