/**
 * Lists the programs that the benchmark compares.
 */
import { connectEtcd, etcd } from "./etcd.ts"
import { bufferedPromise, connectBuffered, connectSynced, everwrite } from "./everwrite.ts"
import { connectNatsEcho, connectSqlite, natsEcho, sqlite } from "./floors.ts"
import { connectJetstream, jetstream } from "./jetstream.ts"
import { connectPipeline, pipeline } from "./pipeline.ts"
import type { Connect, Program } from "./Program.ts"

export interface Compared {
  readonly program: Program
  readonly connect: Connect
  readonly promise: string
}

const withPromise = (program: Program, connect: Connect, promise = program.promise): Compared => ({
  program,
  connect,
  promise
})

export const programs: Readonly<Record<string, Compared>> = {
  "everwrite": withPromise(everwrite, connectSynced),
  "buffered": withPromise(everwrite, connectBuffered, bufferedPromise),
  "pipeline": withPromise(pipeline, connectPipeline),
  "etcd": withPromise(etcd, connectEtcd),
  "jetstream": withPromise(jetstream, connectJetstream),
  "nats echo": withPromise(natsEcho, connectNatsEcho),
  "sqlite": withPromise(sqlite, connectSqlite)
}
