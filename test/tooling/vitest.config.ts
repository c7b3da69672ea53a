// One configuration for every suite; the top level of the repository stays free of tool files.
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const root = fileURLToPath(new URL("../..", import.meta.url))

export default defineConfig({
  root,
  resolve: { conditions: ["everwrite-source"] },
  ssr: { resolve: { conditions: ["everwrite-source"], externalConditions: ["everwrite-source"] } },
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/tooling/setup.ts"],
    reporters: ["default", "./test/tooling/SummaryReporter.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
