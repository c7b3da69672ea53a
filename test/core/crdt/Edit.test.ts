// Checks that replicas which get changes as deltas, lost, repeated and in any order, and join those
// whose base they have, come to the states of replicas that get whole documents.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Document from "../../../src/core/crdt/Document.ts"
import { nest } from "../../../src/core/crdt/DotStore.ts"
import * as VersionVector from "../../../src/core/clock/VersionVector.ts"
import * as DeltaCodec from "../../../src/core/crdt/DeltaCodec.ts"
import * as Edit from "../../../src/core/crdt/Edit.ts"
import { definitions, histories, type ReachedHistory } from "../reachable.ts"
import { faultsOf, textOf } from "./documents.ts"

const choice = fc.nat(999)

/** Each change as an edit, beside the document that it was made on. */
const editsOf = ({ changes }: ReachedHistory): ReadonlyArray<Edit.Edit> =>
  changes.map(({ before, delta }) => Edit.make([delta], before.context))

/** The same, where a change that follows another on its replica is one edit with it. */
const pairsOf = ({ changes }: ReachedHistory): ReadonlyArray<Edit.Edit> =>
  changes.flatMap(({ before, delta }, i) => {
    const next = changes.slice(i + 1).find((change) =>
      textOf(change.before) === textOf(changes[i]!.after)
    )
    return next === undefined ? [] : [Edit.make([delta, next.delta], before.context)]
  })

const arrivals = fc.record({
  from: choice,
  deltas: fc.array(choice, { minLength: 1, maxLength: 12 })
})

const isReached = (document: Document.Document, edit: Edit.Edit): boolean =>
  VersionVector.covers(document.context, edit.base)

describe.each(definitions)("edits of documents of %s", (_, definition) => {
  it("make no state but those that whole documents lead to", () => {
    fc.assert(
      fc.property(histories(definition), arrivals, (history, { deltas, from }) => {
        const all = history.documents.reduce(Document.join, Document.empty)
        const edits = [...editsOf(history), ...pairsOf(history)]
        if (edits.length === 0) return
        let document = history.documents[from % history.documents.length]!
        for (const chosen of deltas) {
          const edit = edits[chosen % edits.length]!
          if (!isReached(document, edit)) continue
          const after = Edit.apply(document, edit)
          expect(textOf(after)).toBe(textOf(edit.deltas.reduce(Document.apply, document)))
          expect(Edit.apply(after, edit)).toBe(after)
          expect(Edit.isIn(after.context, edit)).toBe(true)
          document = after
        }
        expect(faultsOf(document)).toEqual([])
        // It has and lacks exactly what its context says.
        expect(textOf(Document.join(document, all))).toBe(textOf(all))
        expect(textOf(Document.join(all, document))).toBe(textOf(all))
        for (const whole of history.documents) {
          const isSame = VersionVector.compare(whole.context, document.context) === "equal"
          if (isSame) expect(textOf(whole)).toBe(textOf(document))
        }
      }),
      { numRuns: 1_000 }
    )
  })

  it("are a part of the document that they were made on, and change nothing there", () => {
    fc.assert(
      fc.property(histories(definition), (history) => {
        for (const { after, before, delta } of history.changes) {
          const edit = Edit.make([delta], before.context)
          expect(VersionVector.covers(before.context, edit.base)).toBe(true)
          expect(Edit.isIn(before.context, edit)).toBe(false)
          expect(textOf(Edit.apply(before, edit))).toBe(textOf(after))
          expect(Edit.apply(after, edit)).toBe(after)
        }
      })
    )
  })

  it("that confirm a document change none, and go only where all of it is", () => {
    fc.assert(
      fc.property(histories(definition), ({ documents }) => {
        for (const confirmed of documents) {
          const edit = Edit.confirming(confirmed.context)
          expect(DeltaCodec.decode(DeltaCodec.encode([edit]))[0]!.base).toEqual(edit.base)
          for (const document of documents) {
            expect(Edit.apply(document, edit)).toBe(document)
            expect(Edit.isIn(document.context, edit)).toBe(isReached(document, edit))
          }
        }
      })
    )
  })

  it("that bring a document as far as another are found, or cannot bring it there", () => {
    fc.assert(
      fc.property(
        histories(definition),
        choice,
        choice,
        choice,
        (history, chosen, last, target) => {
          const { documents } = history
          const edits = editsOf(history).slice(0, last)
          const document = documents[chosen % documents.length]!
          const other = documents[target % documents.length]!
          const lacked = Edit.missing(document.context, edits, other.context)
          // Joining all that the other has and that can be joined, over and over, reaches no more.
          const most = edits.flatMap(() => edits.filter((edit) => Edit.isIn(other.context, edit)))
            .reduce(
              (document, edit) => isReached(document, edit) ? Edit.apply(document, edit) : document,
              document
            )
          const whole = Document.join(document, other)
          if (lacked === undefined) {
            expect(textOf(most)).not.toBe(textOf(whole))
            return
          }
          let reached = document
          for (const edit of lacked) {
            expect(isReached(reached, edit)).toBe(true)
            expect(Edit.isIn(reached.context, edit)).toBe(false)
            reached = Edit.apply(reached, edit)
          }
          expect(textOf(reached)).toBe(textOf(whole))
        }
      )
    )
  })
})

const me = "m.000000000000000.1"
const other = "o.000000000000000.1"
const leaf = (...dots: ReadonlyArray<readonly [actor: string, counter: number]>) => ({
  kind: "values" as const,
  siblings: dots.map(([actor, counter]) => ({ actor, counter, stamp: 0, value: "" }))
})

const deltaOf = (delta: Partial<Document.Delta>): Document.Delta => ({
  seen: { vector: VersionVector.empty, dots: [{ actor: me, counter: 9 }] },
  path: ["va"],
  store: nest(["va"], leaf([me, 9])),
  deferred: [],
  expiry: [],
  ...delta
})

describe("the base of an edit", () => {
  it("is all that its document had, also of actors that the change does not name", () => {
    const before = new Map([[me, 4], [other, 7], ["x.000000000000000.1", 3]])
    expect(Edit.make([deltaOf({})], before).base).toEqual(before)
  })

  it("is nothing where the document is new", () => {
    expect(Edit.make([deltaOf({})], VersionVector.empty).base).toEqual(VersionVector.empty)
  })

  it("is needed: with one event less, a receiver vouches for an element that it lacks", () => {
    const last = nest(["vb"], leaf([me, 4]))
    const sender = { ...Document.empty, context: new Map([[me, 4]]), store: last }
    const edit = Edit.make([deltaOf({})], sender.context)
    const receiver = { ...Document.empty, context: new Map([[me, 3]]) }
    expect(VersionVector.covers(receiver.context, edit.base)).toBe(false)
    const joined = Document.join(Edit.apply(receiver, edit), sender)
    expect(textOf(joined)).not.toBe(textOf(Edit.apply(sender, edit)))
  })
})
