/**
 * Sums what the code of each room of the source does, and of each package below it.
 */
import { fileURLToPath } from "node:url"
import { add } from "./Figures.ts"
import type { Frame } from "./Places.ts"

const pathOf = (url: string): string => url.startsWith("file:") ? fileURLToPath(url) : url

/** Names that V8 gives to what is no function. */
const ofV8: ReadonlyMap<string, string> = new Map([
  ["(garbage collector)", "garbage collection"],
  ["(program)", "outside JavaScript"]
])

const packaged = /node_modules\/((?:@[^/]+\/)?[^/]+)/u
const room = /^(src\/core\/[^/.]+(?=\/)|src\/[^/.]+|schemas|[^/]+)/u

export class Rooms {
  readonly #root: string
  readonly #sums = new Map<string, number>()

  constructor(root: string) {
    this.#root = root.endsWith("/") ? root : `${root}/`
  }

  /** `frames` are the stack, innermost first. */
  add(frames: ReadonlyArray<Frame>, amount: number): void {
    add(this.#sums, this.#roomOf(frames), amount)
  }

  take(): Readonly<Record<string, number>> {
    const rooms = Object.fromEntries(this.#sums)
    this.#sums.clear()
    return rooms
  }

  /** What Node and V8 do is charged to the room that calls them. */
  #roomOf(frames: ReadonlyArray<Frame>): string {
    const named = ofV8.get(frames[0]?.name ?? "")
    if (named !== undefined) return named
    for (const { url } of frames) {
      const path = pathOf(url)
      const [, name] = packaged.exec(path) ?? []
      if (name !== undefined) return name
      if (!path.startsWith(this.#root)) continue
      const own = path.slice(this.#root.length)
      return own.startsWith("test/") ? "the measuring" : room.exec(own)?.[1] ?? "src"
    }
    return "Node"
  }
}
