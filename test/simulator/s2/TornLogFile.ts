/**
 * Puts the files of a log on a `TornDisk`, so that the product's own log runs there as it is.
 */
import { LogError, type LogFile, type LogFiles, logPaths } from "../../../src/storage/LogFile.ts"
import { DiskError, type TornDisk, type TornFile } from "./TornDisk.ts"
import { databaseName } from "./WasmDatabase.ts"

const attempt = <A>(act: () => A): A => {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    throw new LogError(error.refusal === "full" ? "full" : "failing", error.message)
  }
}

const logFileOf = (file: TornFile): LogFile => ({
  size: () => attempt(() => file.size),
  read: () => attempt(() => Uint8Array.from(file.read(0, file.size))),
  write: (offset, bytes) => attempt(() => file.write(offset, bytes)),
  sync: () => attempt(() => file.sync()),
  close: () => {}
})

/** Makes them where they are not, as a process does. */
export const tornLogFiles = (disk: TornDisk): LogFiles => {
  const [first, second] = logPaths(databaseName)
  const open = (name: string) =>
    attempt(() => {
      const isNew = !disk.exists(name)
      const file = logFileOf(disk.open(name))
      if (isNew) disk.syncDirectory()
      return file
    })
  return [open(first), open(second)]
}
