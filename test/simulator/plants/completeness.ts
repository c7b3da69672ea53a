/**
 * Bugs in who is believed to have everything that it acknowledged.
 */
import type { Plant } from "./Plant.ts"

const formation = "src/core/membership/Formation.ts"
const read = "src/core/quorum/ReadDecision.ts"

export const completenessPlants: ReadonlyArray<Plant> = [
  {
    name: "incomplete-absence-counts",
    bug: "an incomplete replica's \"absent\" counts",
    edits: [
      {
        file: read,
        from: "answers.unknowing | (event.completeness === \"incomplete\" ? fresh : 0)",
        to: "answers.unknowing"
      },
      {
        file: read,
        from: "answers.complete | (event.completeness === \"complete\" ? fresh : 0)",
        to: "answers.complete | fresh"
      }
    ]
  },
  {
    name: "unsure-absence-ignored",
    bug: "a restarted replica's \"absent\" does not count until all others have answered",
    edits: [{
      file: read,
      from: "answers.unknowing | (event.completeness === \"incomplete\" ? fresh : 0)",
      to: "answers.unknowing | (event.completeness === \"complete\" ? 0 : fresh)"
    }]
  },
  {
    name: "lost-store-unnoticed",
    bug: "a store that was wiped, or told more than it has, is complete",
    edits: [{
      file: formation,
      from: "told !== cannotTell && told > leastRecovered(",
      to: "told < 0 && told > leastRecovered("
    }, {
      file: formation,
      from: "  if (entry !== store) return isLate(",
      to: "  if (entry === \"\") return isLate("
    }, {
      file: formation,
      from: "if (own !== \"named\" || entry !== store) return \"incomplete\"",
      to: "if (own !== \"named\" || entry === \"\") return \"incomplete\""
    }]
  },
  {
    name: "one-answer-is-enough",
    bug: "a restarted node is complete after one answer",
    edits: [{
      file: formation,
      from: "if (state.unsureSince === undefined || needed(state).length > 0) return state",
      to: `const few = state.others.length > 0 && state.answered.size === 0
  if (state.unsureSince === undefined || few) return state`
    }]
  },
  {
    name: "filled-under-its-name",
    bug: "a store that was filled keeps the generation under which it lost something",
    edits: [{
      file: "src/core/membership/Certificate.ts",
      from: "ofGeneration(generationOf(before) + 1, id)",
      to: "ofGeneration(generationOf(before), id)"
    }]
  }
]
