/**
 * Finds the receivers of a message: subscription patterns in a tree with one level for each token.
 *
 * A message's subject is walked once, whatever the number of patterns; at each level the token
 * itself, `*` (exactly one token) and `>` (one or more to the end) may lead on. The in-memory and
 * the embedded broker share this file, so they agree on the meaning of a pattern.
 */

const dot = 0x2e
const star = 0x2a
const greater = 0x3e
const space = 0x20
const del = 0x7f

/**
 * The use of a text: a `subject` has no wildcards, a `pattern` has some; white space, control
 * characters, empty tokens and an inner `>` make it neither.
 */
export const kindOf = (text: string): "subject" | "pattern" | "malformed" => {
  let wild = false
  let start = 0
  for (let i = 0; i <= text.length; i++) {
    const code = i === text.length ? dot : text.charCodeAt(i)
    if (code <= space || code === del) return "malformed"
    if (code !== dot) continue
    if (i === start) return "malformed"
    if (i === start + 1) {
      const only = text.charCodeAt(start)
      if (only === greater && i < text.length) return "malformed"
      wild ||= only === greater || only === star
    }
    start = i + 1
  }
  return wild ? "pattern" : "subject"
}

interface Branch<A> {
  readonly children: Map<string, Branch<A>>
  readonly values: Array<A>
}

const makeBranch = <A>(): Branch<A> => ({ children: new Map(), values: [] })

export class SubjectTree<A> {
  readonly #root = makeBranch<A>()

  /** Files `value` under a pattern; the same value may stand under several. */
  add(pattern: string, value: A): void {
    let branch = this.#root
    for (const token of pattern.split(".")) {
      let child = branch.children.get(token)
      if (child === undefined) {
        child = makeBranch()
        branch.children.set(token, child)
      }
      branch = child
    }
    branch.values.push(value)
  }

  /** Takes `value` from under `pattern`, and the branches that are then bare; else does nothing. */
  remove(pattern: string, value: A): void {
    const tokens = pattern.split(".")
    const path = [this.#root]
    for (const token of tokens) {
      const child = path.at(-1)?.children.get(token)
      if (child === undefined) return
      path.push(child)
    }
    const values = path.at(-1)?.values ?? []
    const index = values.indexOf(value)
    if (index >= 0) values.splice(index, 1)
    for (let depth = tokens.length; depth > 0; depth--) {
      const branch = path[depth]!
      if (branch.values.length > 0 || branch.children.size > 0) return
      path[depth - 1]!.children.delete(tokens[depth - 1]!)
    }
  }

  /**
   * Every value whose pattern takes `subject`, in an order that depends only on the values added.
   */
  match(subject: string): Array<A> {
    const found: Array<A> = []
    collect(this.#root, subject.split("."), 0, found)
    return found
  }

  get isEmpty(): boolean {
    return this.#root.children.size === 0
  }
}

const collect = <A>(
  branch: Branch<A>,
  tokens: ReadonlyArray<string>,
  depth: number,
  found: Array<A>
): void => {
  if (depth === tokens.length) {
    for (const value of branch.values) found.push(value)
    return
  }
  const { children } = branch
  const same = children.get(tokens[depth]!)
  if (same !== undefined) collect(same, tokens, depth + 1, found)
  const any = children.get("*")
  if (any !== undefined) collect(any, tokens, depth + 1, found)
  const rest = children.get(">")
  if (rest !== undefined) { for (const value of rest.values) found.push(value) }
}

/** One subscription, as far as the choice among a queue group goes. */
export interface Interested {
  readonly queue: string | undefined
}

/**
 * The receivers of one message: each of `interested` without a queue, and of each queue group the
 * one at the index that `pick` returns for the group's size.
 */
export const recipients = <A extends Interested>(
  interested: ReadonlyArray<A>,
  pick: (count: number) => number
): ReadonlyArray<A> => {
  if (interested.every((one) => one.queue === undefined)) return interested
  const chosen = interested.filter((one) => one.queue === undefined)
  const groups = Map.groupBy(
    interested.filter((one) => one.queue !== undefined),
    (one) => one.queue
  )
  for (const group of groups.values()) chosen.push(group[pick(group.length)]!)
  return chosen
}
