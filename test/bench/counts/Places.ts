/**
 * Says where a function is in few words, and gathers the bytes of each place.
 */
import { fileURLToPath } from "node:url"
import { add, type Site } from "./Figures.ts"

export interface Frame {
  readonly name: string
  readonly url: string
  readonly line: number
}

const pathOf = (url: string): string => url.startsWith("file:") ? fileURLToPath(url) : url

/** Remembers the measured repository, and sums. */
export class Places {
  readonly #root: string
  readonly #sums = new Map<string, number>()

  constructor(root: string) {
    this.#root = root.endsWith("/") ? root : `${root}/`
  }

  #isOwn({ url }: Frame): boolean {
    const path = pathOf(url)
    return path.startsWith(this.#root) && !path.includes("node_modules/")
  }

  #text({ line, name, url }: Frame): string {
    const path = pathOf(url)
    const short = path.includes("node_modules/")
      ? path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)
      : path.replace(this.#root, "")
    return `${name === "" ? "(nameless)" : name}${short === "" ? "" : ` ${short}:${line}`}`
  }

  /** `frames` are the stack, innermost first; V8's own functions have no file. */
  add(frames: ReadonlyArray<Frame>, bytes: number, prefix = ""): void {
    const filed = frames.findIndex(({ url }) => url !== "")
    const inner = frames.slice(0, filed === -1 ? 1 : filed + 1)
    const place = prefix + inner.map((frame) => this.#text(frame)).join(" < ")
    const own = frames.filter((frame) => this.#isOwn(frame)).map((frame) => this.#text(frame))
    add(this.#sums, [place, ...own].join("\n"), bytes)
  }

  take(): ReadonlyArray<Site> {
    const sites = [...this.#sums].map(([key, bytes]) => {
      const [place = "", ...own] = key.split("\n")
      return { place, own, bytes }
    })
    this.#sums.clear()
    return sites
  }
}
