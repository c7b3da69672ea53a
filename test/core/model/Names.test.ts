// Checks that names are what NATS subjects and file systems take without quoting.
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BucketName, ClusterName, NodeId } from "../../../src/core/model/Names.ts"

describe.each([["node", NodeId], ["cluster", ClusterName], ["bucket", BucketName]] as const)(
  "the name of a %s",
  (_, schema) => {
    const isName = Schema.is(schema)

    it.each(["a", "7", "carts", "node-1", "a_b-c", "a".repeat(64)])("may be %s", (name) => {
      expect(isName(name)).toBe(true)
    })

    it.each(["", "-a", "_a", "A", "a.b", "a b", "a/b", "a*", ">", "é", "a\n", "a".repeat(65)])(
      "may not be %j",
      (name) => {
        expect(isName(name)).toBe(false)
      }
    )

    it("is always one token of a subject", () => {
      fc.assert(fc.property(fc.string({ unit: "binary-ascii", maxLength: 70 }), (name) => {
        if (isName(name)) expect(name).not.toMatch(/[\s.*>/\\$:]/u)
      }))
    })
  }
)
