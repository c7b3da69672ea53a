// Checks that a transcript is read as it was written, and that a wrong output is seen.
import { describe, expect, it } from "vitest"
import { type Command, replay } from "./transcripts.ts"

const story = `# A counter begins at nothing.

add 2
----
2

# Two commands may follow each other.
add 3
----
5

reset
----

say "two words" to=n1 reason="disk full"
----
two words
reason=disk full to=n1
`

const begin = () => {
  let sum = 0
  return ({ name, options, words }: Command): string => {
    if (name === "add") return `${sum += Number(words[0])}`
    if (name === "say") return [...words, pairs(options)].join("\n")
    if (name === "reset") return ""
    throw new Error("no such command")
  }
}

const pairs = (options: ReadonlyMap<string, string>): string =>
  [...options].map(([key, value]) => `${key}=${value}`).sort().join(" ")

describe("a transcript", () => {
  it("stays as it is where every output is right, comments and all", () => {
    expect(replay(story, begin())).toBe(story)
  })

  it("gets the right output in place of a wrong one", () => {
    expect(replay(story.replace("\n5\n", "\n6\nand more\n"), begin())).toBe(story)
  })

  it("gets its outputs where it has commands and comments alone", () => {
    const bare = story.replace(/----\n(.+\n)*/g, "")
    expect(bare).not.toContain("two words\n")
    expect(replay(bare, begin())).toBe(story)
    expect(replay("add 1\nadd 1", begin())).toBe("add 1\n----\n1\n\nadd 1\n----\n2\n")
  })

  it("names the line of a command that cannot be carried out", () => {
    expect(() => replay("# A slip.\nad 1\n", begin(), "slip.txt")).toThrow(
      "slip.txt:2: 'ad 1' failed: Error: no such command"
    )
  })

  it("has no output with an empty line, which would end the block", () => {
    expect(() => replay("say a\n", () => "a\n\nb")).toThrow("gives an empty line")
  })
})
