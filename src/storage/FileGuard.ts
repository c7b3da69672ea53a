/**
 * Tells whether the files of a store are still those that its connection has open. Someone may
 * remove, replace or empty them: the connection goes on as if nothing were, and what it commits is
 * gone with the process.
 *
 * It looks at the paths and opens nothing: POSIX would drop the locks of the connection.
 */
import { closeSync, existsSync, openSync, rmSync, statSync } from "node:fs"
import { dirname } from "node:path"
import { logPaths } from "./LogFile.ts"
import { syncDirectory } from "./SyncDirectory.ts"
import { logBytesKept } from "./Tables.ts"

interface Watched {
  readonly path: string
  readonly name: string
  readonly device: number
  readonly inode: number
  /** Its size never falls below the greatest one that was seen, or this one where that is less. */
  readonly keptBytes: number
  bytes: number
}

const watch = (path: string, name: string, keptBytes: number): ReadonlyArray<Watched> => {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return []
  return [{ path, name, device: found.dev, inode: found.ino, keptBytes, bytes: found.size }]
}

/** How a file changed that no one but its connection may change; undefined where it did not. */
const changeOf = (file: Watched): string | undefined => {
  const { bytes, device, inode, keptBytes, name } = file
  const found = statSync(file.path, { throwIfNoEntry: false })
  if (found === undefined) return `${name} was removed`
  if (found.ino !== inode || found.dev !== device) return `${name} was replaced`
  if (found.size < Math.min(bytes, keptBytes)) {
    return `${name} became shorter, ${found.size} bytes instead of ${bytes}`
  }
  file.bytes = found.size
  return undefined
}

/** Stands beside a store that lost data while it was open. */
const markOf = (databasePath: string): string => `${databasePath}.lost`

/** Whether the store lost data while it was open, so that it is not the store that it was. */
export const isMarkedLost = (databasePath: string): boolean => existsSync(markOf(databasePath))

/** The store has another id now, which tells the same. */
export const endLostMark = (databasePath: string): void => {
  if (!isMarkedLost(databasePath)) return
  rmSync(markOf(databasePath))
  syncDirectory(dirname(databasePath))
}

export class FileGuard {
  readonly #databasePath: string
  readonly #files: ReadonlyArray<Watched>
  #lost: string | undefined

  /** **Requires** a connection that has committed, so that its log is there. */
  constructor(databasePath: string) {
    this.#databasePath = databasePath
    this.#files = [
      ...watch(databasePath, "the file of the store", Infinity),
      ...watch(`${databasePath}-wal`, "the log of the store", logBytesKept),
      ...logPaths(databasePath).flatMap((path) => watch(path, "the log of commits", Infinity))
    ]
  }

  /** How the files were lost; undefined while they are there. Once lost, they stay so. */
  lost(): string | undefined {
    if (this.#lost !== undefined) return this.#lost
    for (const file of this.#files) {
      this.#lost = changeOf(file)
      if (this.#lost === undefined) continue
      this.#mark()
      return this.#lost
    }
    return undefined
  }

  /** The next start must not take what is left for all that was acknowledged. */
  #mark(): void {
    try {
      closeSync(openSync(markOf(this.#databasePath), "a", 0o600))
      syncDirectory(dirname(this.#databasePath))
    } catch {
      // The directory is gone too: then the next start finds nothing, and makes a new store.
    }
  }
}
