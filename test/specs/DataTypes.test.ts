/**
 * Checks each data type against its specification on random histories.
 */
import { describe, expect, it } from "vitest"
import type { TypeDefinition } from "../../src/core/model/BucketDefinition.ts"
import * as CrdtStrategy from "../../src/core/strategy/CrdtStrategy.ts"
import { checkSpecification } from "./checkSpecification.ts"
import { hasCounter, typeRequests } from "./TypeRequests.ts"
import { mayBeTooOld, type TypeChange, view } from "./TypeSpecification.ts"

const counter: TypeDefinition = { type: "counter" }
const set: TypeDefinition = { type: "set" }
const register: TypeDefinition = { type: "register" }
const map = (of: TypeDefinition): TypeDefinition => ({ type: "map", of })

const types: Record<string, TypeDefinition> = {
  "a counter": counter,
  "a set": set,
  "a register": register,
  "a map of counters": map(counter),
  "a map of sets": map(set),
  "a map of registers": map(register),
  "a map of maps of counters": map(map(counter)),
  "a document": { type: "document", fields: { total: counter, tags: set, title: register } },
  "a document of maps of documents": {
    type: "document",
    fields: {
      lines: map({ type: "document", fields: { quantity: counter, note: register } }),
      labels: map(map(set))
    }
  }
}

const histories = 3000

describe("every reader gets the specified value, at any moment of any history", () => {
  for (const [name, type] of Object.entries(types)) {
    it(`of ${name}`, () => {
      const counts = checkSpecification<TypeChange>({
        strategy: CrdtStrategy.make(type),
        requests: typeRequests(type),
        view: view(type),
        clientCounts: false,
        refusesAhead: (change) => change.tag === "removal" && hasCounter(change.of),
        mayBeTooOld
      }, histories)
      // A history in which nothing difficult happens shows nothing.
      expect(counts.delivered).toBeGreaterThan(histories / 10)
      expect(counts.forgotten).toBeGreaterThan(histories / 10)
      expect(counts.ahead).toBeGreaterThan(histories / 10)
      const refuses = hasCounter(type)
      expect(counts.refused > histories / 100).toBe(refuses)
      if (type === counter) expect(counts.tooOld).toBeGreaterThan(histories / 100)
    })
  }
})
