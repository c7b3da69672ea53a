/**
 * Has the names in a directory on disk: a file whose name is not may be gone after a power cut.
 */
import { closeSync, fsyncSync, openSync } from "node:fs"

export const syncDirectory = (path: string): void => {
  const descriptor = openSync(path, "r")
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
