/**
 * Tries a disk that refused a commit, so that a node to which nobody writes any more, since it says
 * that it is not ready, notices when the disk works again.
 */
import * as Effect from "effect/Effect"
import type { WatchLimits } from "../core/model/WatchLimits.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import { metadataBatch } from "../storage/Metadata.ts"
import type { StorageService } from "../storage/Storage.ts"

const checkName = "disk-check"

/** What is needed of a store to look after its disk. */
export type WatchedDisk = Pick<StorageService, "fault" | "healthy" | "trouble" | "write">

/** Whether a commit may succeed that comes later: not without a thread, or after data was lost. */
const mayRecover = (storage: WatchedDisk): boolean =>
  storage.fault?.() === undefined && storage.trouble?.()?.kind !== "closed"

/** Writes one row, and an empty one over it. */
const check = (storage: WatchedDisk, bytes: number): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const end = () => resume(Effect.void)
    storage.write(metadataBatch(checkName, "x".repeat(bytes)), (failure) => {
      if (failure === undefined) storage.write(metadataBatch(checkName, ""), end)
      else end()
    })
  })

/** Checks until interrupted. */
export const watchDisk = (
  storage: WatchedDisk,
  { diskCheckBytes, diskRetryMillis }:
    & Pick<NodeLimits, "diskRetryMillis">
    & Pick<WatchLimits, "diskCheckBytes">
): Effect.Effect<never> =>
  Effect.sleep(diskRetryMillis).pipe(
    Effect.andThen(Effect.suspend(() =>
      storage.healthy() || !mayRecover(storage) ? Effect.void : check(storage, diskCheckBytes)
    )),
    Effect.forever
  )
