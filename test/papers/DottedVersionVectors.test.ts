// Shows what plain version vectors get wrong for values behind one coordinator, and dots right.
//
// Preguiça et al.: Dotted Version Vectors: Logical Clocks for Optimistic Replication, 2010, and
// Brief Announcement: Efficient Causality Tracking in Distributed Storage Systems with Dotted
// Version Vectors, PODC 2012. The sentences of the examples are from the authors' introduction
// to their implementation, github.com/ricardobcl/Dotted-Version-Vectors.
import { describe, expect, it } from "vitest"
import * as VersionVector from "../../src/core/clock/VersionVector.ts"
import { Replica } from "../core/Replica.ts"

type Vector = VersionVector.VersionVector

/** "Server IDs #1": each value with a version vector of its own. */
class ClockForEachValue {
  versions: ReadonlyArray<{ readonly value: string; readonly clock: Vector }> = []
  #counter = 0

  put(value: string, context: Vector): void {
    const clock = VersionVector.withDot(context, { actor: "A", counter: ++this.#counter })
    this.receive([...this.versions, { value, clock }])
  }

  /** Keeps each version that no other one dominates. */
  receive(versions: ClockForEachValue["versions"]): void {
    this.versions = versions.filter(({ clock }) =>
      !versions.some((other) => VersionVector.compare(clock, other.clock) === "before")
    )
  }
}

/** "Server IDs #2": all values with one version vector, as Riak had it before 2.0. */
class ClockForAllValues {
  values: ReadonlyArray<string> = []
  clock: Vector = VersionVector.empty

  put(value: string, context: Vector): void {
    const hasSeenAll = VersionVector.covers(context, this.clock)
    this.values = hasSeenAll ? [value] : [...this.values, value]
    const counter = (this.clock.get("A") ?? 0) + 1
    this.clock = VersionVector.withDot(VersionVector.join(this.clock, context), {
      actor: "A",
      counter
    })
  }
}

const nothing = VersionVector.empty
const rounds = 101

describe("Dotted Version Vectors, \"Why not Version Vectors\"", () => {
  it(
    "\"using (A,2) implies that v2 is causally newer than v1, which is also not true\": a "
      + "clock for each value loses a blind write",
    () => {
      const store = new ClockForEachValue()
      store.put("v1", nothing)
      store.put("v2", nothing)
      expect(store.versions.map(({ value }) => value)).toEqual(["v2"])
    }
  )

  it(
    "\"the server has no other option but to keep all three values\": a clock for all "
      + "values keeps what was replaced",
    () => {
      const store = new ClockForAllValues()
      store.put("v1", nothing)
      const context = store.clock
      store.put("v2", nothing)
      store.put("v3", context)
      expect(store.values).toEqual(["v1", "v2", "v3"])
    }
  )
})

describe("Dotted Version Vectors, \"The Origin\"", () => {
  it(
    "\"when v3 arrives with a context of (A,1), we know that it already read v1, thus it "
      + "can be safely discarded. We keep v2\"",
    () => {
      const replica = new Replica("A")
      replica.put("v1")
      const { context } = replica.read()
      replica.put("v2")
      replica.put("v3", context)
      expect(replica.read().values).toEqual(["v2", "v3"])
      expect([...replica.document.context]).toEqual([["A", 3]])
    }
  )
})

describe("Dotted Version Vectors, \"Real Runtime with Riak\"", () => {
  it(
    "scenario 2, two clients that write and read in turns: \"with VV you have an "
      + "exploding number of siblings\"",
    () => {
      const store = new ClockForAllValues()
      const contexts = [nothing, nothing]
      for (let i = 0; i < rounds; i++) {
        store.put(`v${i}`, contexts[i % 2]!)
        contexts[i % 2] = store.clock
      }
      expect(store.values.length).toBe(rounds)
    }
  )

  it("scenario 2: \"with DVVSet you have always 2 or 3 siblings\"", () => {
    const replica = new Replica("A")
    const reads = [replica.read(), replica.read()]
    for (let i = 0; i < rounds; i++) {
      replica.put(`v${i}`, reads[i % 2]!.context)
      reads[i % 2] = replica.read()
      expect(reads[i % 2]!.values.length).toBeLessThanOrEqual(3)
    }
    expect(replica.read().values).toEqual([`v${rounds - 2}`, `v${rounds - 1}`])
  })

  it(
    "scenario 1, a client that writes and reads while others write blindly: \"always 2 or "
      + "3 siblings\"",
    () => {
      const replica = new Replica("A")
      let read = replica.read()
      for (let i = 0; i < rounds; i++) {
        replica.put(`own ${i}`, read.context)
        read = replica.read()
        expect(read.values.length).toBeLessThanOrEqual(3)
        replica.put(`other ${i}`)
      }
      expect(replica.read().values.length).toBeLessThanOrEqual(3)
    }
  )
})

describe("Dotted Version Vectors, PODC 2012, abstract", () => {
  it(
    "\"precisely track causality with information with size bounded by the degree of "
      + "replication, and not by the number of concurrent writers\"",
    () => {
      const replicas = ["A", "B", "C"].map((actor) => new Replica(actor))
      for (let client = 0; client < rounds; client++) {
        const coordinator = replicas[client % 3]!
        coordinator.put(`by client ${client}`, coordinator.read().context)
        for (const replica of replicas) replica.receive(coordinator.document)
      }
      expect(replicas[0]!.document.context.size).toBe(3)
      expect(replicas[0]!.read().values).toEqual([`by client ${rounds - 1}`])
    }
  )
})
