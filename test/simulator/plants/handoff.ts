/**
 * Bugs in what nodes keep for others that cannot be reached.
 */
import type { Plant } from "./Plant.ts"

const delivery = "src/handoff/HintDelivery.ts"

export const handoffPlants: ReadonlyArray<Plant> = [
  {
    name: "hint-dropped-unconfirmed",
    bug: "a hint ends as soon as its document has been sent",
    edits: [{
      file: delivery,
      from: "if (found === \"Gone\") gone.push(hint)",
      to: "gone.push(hint)"
    }]
  },
  {
    name: "hint-for-the-sender",
    bug: "a fallback owes a document to the node that sent it, and not to the one that is away",
    edits: [{
      file: "src/coordinator/WriteCoordinator.ts",
      from: "hintFor === undefined ? message : { ...message, hintFor }",
      to: "hintFor === undefined ? message : { ...message, hintFor: this.context.node }"
    }]
  },
  {
    name: "copy-dropped-while-owed",
    bug: "a fallback drops its copy when the first of the nodes it owes it to has it",
    edits: [{
      file: delivery,
      from: "const isDropped = hints.isLast(key) && !this.#isOwn(key)",
      to: "const isDropped = !this.#isOwn(key)"
    }]
  },
  {
    name: "newer-version-dropped",
    bug: "a hint ends though its document has changed since it was sent",
    edits: [{
      file: delivery,
      from: "if (isSame) this.#end",
      to: "if (isSame || context.size > 0) this.#end"
    }]
  },
  {
    name: "empty-fallback-counts",
    bug: "a fallback that has nothing counts as one that says that there is nothing",
    edits: [{
      file: "src/core/quorum/ReadDecision.ts",
      from: "answers.absent & ~answers.unknowing & (nodes.primaries | nodes.previous)",
      to: "answers.absent & ~answers.unknowing"
    }]
  },
  {
    name: "forwarded-write-taken-in-the-end",
    bug: "a node that forwarded a write in vain takes it itself when it comes again",
    edits: [{
      file: "src/coordinator/Coordinator.ts",
      from: "if (isIdentified(validated)) this.#operations.begin(validated, open)",
      to: "if (isIdentified(validated) && isPrimary(this.context, validated))"
        + " this.#operations.begin(validated, open)"
    }]
  },
  {
    name: "kept-copy-vouches-when-forgotten",
    bug:
      "a node that kept an operation for others says that it never had it once it has forgotten it",
    edits: [{
      file: "src/coordinator/Operations.ts",
      from: "return { ...shared, tried: [{ node, mark }] }",
      to: "return { ...shared, tried: [{ node, mark: undefined }] }"
    }]
  },
  {
    name: "hint-lost-with-the-next",
    bug: "a removal of a hint that fails together with the next hint leaves none",
    edits: [{
      file: "src/replica/HintsUnderWay.ts",
      from: "else if (way.last === write) this.#goBack(target, key, way.stored)",
      to: "else if (way.last === write) this.#goBack(target, key, before)"
    }]
  }
]
