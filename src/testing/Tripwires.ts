/**
 * Lets nothing reach the real clock, real chance, timers or promises while a simulation runs: one
 * leak, and a failing seed no longer fails.
 */

/** Simulated code used the machine's clock, chance, timers or promises. */
export class Unrepeatable extends Error {
  override readonly name = "Unrepeatable"
}

/** A function, since code may call it with `new`. */
const trip = (what: string) =>
  function(): never {
    throw new Unrepeatable(`a simulated run must not use ${what}`)
  }

/** Dates of a given time are as good as any value; those of this moment are not. */
const TimelessDate = new Proxy(Date, {
  apply: trip("Date()"),
  construct: (target, args) =>
    args.length === 0 ? trip("new Date()")() : Reflect.construct(target, args)
})

const functions: ReadonlyArray<readonly [object, string, ReadonlyArray<string>]> = [
  [Math, "Math", ["random"]],
  [Date, "Date", ["now"]],
  [performance, "performance", ["now"]],
  [crypto, "crypto", ["randomUUID", "getRandomValues"]],
  [process, "process", ["nextTick", "hrtime"]],
  [Promise.prototype, "a promise's", ["then"]],
  [
    globalThis,
    "the global",
    ["Date", "setTimeout", "setInterval", "setImmediate", "queueMicrotask", "Promise"]
  ]
]

/**
 * Runs `task`, which is synchronous, with the machine's clock, chance, timers and promises barred.
 */
export const tripwired = <A>(task: () => A): A => {
  const restorers: Array<() => void> = []
  for (const [object, owner, names] of functions) {
    for (const name of names) {
      const before = Object.getOwnPropertyDescriptor(object, name)
      const value = name === "Date" ? TimelessDate : trip(`${owner} ${name}`)
      Object.defineProperty(object, name, { configurable: true, writable: true, value })
      restorers.push(() => {
        if (before === undefined) Reflect.deleteProperty(object, name)
        else Object.defineProperty(object, name, before)
      })
    }
  }
  try {
    return task()
  } finally {
    for (const restore of restorers) restore()
  }
}
