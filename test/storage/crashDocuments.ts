/** Names the documents that the crashing writer writes and the test reads. */
import type { RowKey } from "../../src/storage/Storage.ts"
import { keyOf } from "./documents.ts"

export const crashIdentity = { node: "n1", cluster: "crash", partitionCount: 256 }

export const documentCount = 64

export const crashKey = (number: number): RowKey => keyOf(`s${number}`, { partition: number })

/** Of every odd document. */
export const elementPaths: ReadonlyArray<string> = ["e0", "e1", "e2", "e3"]
