/**
 * Finds the file that the storage thread runs. A bundler puts this module into a file of the
 * program's own, beside which the thread's is no more: then it is the bundle's second entry
 * (`everwrite/worker`, under the name below), or that of the installed package.
 */
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { setFlagsFromString } from "node:v8"

/** Beside a bundle, in the order in which they are looked for. */
const bundledNames = ["./everwrite-worker.js", "./everwrite-worker.mjs"]

const exists = (url: URL): boolean => url.protocol === "file:" && existsSync(fileURLToPath(url))

const installed = (): URL | undefined => {
  try {
    return new URL(import.meta.resolve("everwrite/worker"))
  } catch {
    return undefined
  }
}

/** The thread's file; undefined where a bundle has none. */
export const threadFile = (): URL | undefined => {
  // A bundle in another format than that of modules has no URL.
  const here: string | undefined = import.meta.url
  if (here === undefined) return installed()
  if (here.endsWith("/ThreadFile.ts")) return new URL("./worker.ts", here)
  if (here.endsWith("/ThreadFile.js")) return new URL("./worker.js", here)
  return [...bundledNames.map((name) => new URL(name, here)), installed()]
    .find((url) => url !== undefined && exists(url))
}

/**
 * Keeps a process alive whose threads run TypeScript as it stands. Node strips types in
 * WebAssembly, and V8 13 now and then ends the process when a call out of it is compiled anew,
 * shared by all threads ("UnregisterWasmAllocation" in the trace). With this budget none is.
 */
export const keepTypeStripping = ({ pathname }: URL): void => {
  if (pathname.endsWith(".ts")) setFlagsFromString("--wasm-wrapper-tiering-budget=1000000000")
}

/** For who bundles a node. */
export const missingThread = {
  reason: "the program is bundled without the file of the storage thread",
  remedy: "make everwrite/worker a second entry of the bundle, named everwrite-worker, or leave "
    + "everwrite out of the bundle (external)"
}
