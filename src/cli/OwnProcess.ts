/**
 * Gives a node that has a process of its own less memory for garbage than Node and glibc give each
 * program on a large machine. Neither can be told later than at the start of a process, so
 * `everwrite start` begins anew in the same process, before it imports anything.
 *
 * - V8 lets each half of the young generation grow to 64 MB, and a node lets little of it survive.
 * - V8 lets the old generation grow far beyond what is in use before it collects it. A node keeps
 *   its caches there, and changes them with every request.
 * - glibc gives each thread a heap of its own, and takes no memory back from it. A node has two
 *   threads that allocate much.
 * - glibc keeps large pieces that are freed among small ones, once one was freed. Tables of a node
 *   grow by being copied, and leave the smaller ones behind.
 *
 * An operator's own choice, by `NODE_OPTIONS` or the variable, is left as it is.
 */

/** Of the young generation: three of these at most are in use. */
const youngOption = "--max-semi-space-size"
/** How far the old generation grows, in percent of what was in use, before it is collected. */
const oldOption = "--heap-growing-percent"
export const nodeOptions: ReadonlyArray<string> = [`${youngOption}=16`, `${oldOption}=30`]

/** Variables of the C library. Pieces from a MiB on go back to the system when they are freed. */
export const nodeVariables: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: "2",
  MALLOC_MMAP_THRESHOLD_: String(1024 * 1024)
}

type Variables = Readonly<Record<string, string | undefined>>

export interface Started {
  /** The file of Node, the file that it runs, and the words behind that. */
  readonly argv: ReadonlyArray<string>
  readonly execArgv: ReadonlyArray<string>
  readonly env: Variables
}

export interface Beginning {
  /** The words behind the file of Node. */
  readonly words: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
}

/** Whether V8 was told already: here, or by the operator. It takes `_` for `-`. */
const isTold = ({ env, execArgv }: Started): boolean =>
  [...execArgv, env["NODE_OPTIONS"] ?? ""]
    .some((option) => option.replaceAll("_", "-").includes(youngOption))

/** How a process that was started so begins anew; undefined where it goes on as it is. */
export const beginning = (started: Started): Beginning | undefined => {
  const { argv: [, file = "", ...words], env, execArgv } = started
  if (words[0] !== "start" || isTold(started)) return undefined
  const set = Object.entries(env).filter((it): it is [string, string] => it[1] !== undefined)
  return {
    words: [...nodeOptions, ...execArgv, file, ...words],
    env: { ...nodeVariables, ...Object.fromEntries(set) }
  }
}

/** Goes on as it is where Node cannot do it, or where a channel to a parent would be lost. */
export const beginAnew = (): void => {
  const { argv0, execPath, platform } = process
  if (platform === "win32" || process.channel !== undefined) return
  const anew = beginning(process)
  if (anew !== undefined) process.execve?.(execPath, [argv0, ...anew.words], anew.env)
}
