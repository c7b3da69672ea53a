/**
 * Shows in errors the line of the application that made the call. The engine keeps no such line for
 * an answer that comes later, so it is taken at each call, which costs some microseconds: as
 * much as a client needs for a read, and so only where it is asked for.
 */
import { EverwriteError } from "../core/model/StoreError.ts"
import { retold } from "./PlacedError.ts"
import type { Task } from "./Task.ts"

const framesMax = 8

/** Of this project: the method of a handle, which makes the task. */
const ownFrames = 1

/** The stack of the caller, without a header. */
const site = (): string => {
  const limit = Error.stackTraceLimit
  const captured: { stack?: string } = {}
  Error.stackTraceLimit = framesMax
  Error.captureStackTrace(captured, promiseWithCallSite)
  Error.stackTraceLimit = limit
  return captured.stack ?? ""
}

/** A promise of the task, which rejects with errors that show where it was called. */
export const promiseWithCallSite = <A, E>(task: Task<A, E>): Promise<A> => {
  const caller = site()
  return new Promise((resolve, reject) => {
    const fail = (error: E): void => {
      const frames = caller.split("\n").slice(1 + ownFrames).join("\n")
      reject(error instanceof EverwriteError ? retold(error, error.message, frames) : error)
    }
    task(resolve, fail, reject)
  })
}
