// One configuration for every suite; the top level of the repository stays free of tool files.
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const root = fileURLToPath(new URL("../..", import.meta.url))

// Compiled code is kept, as threads and processes of tests mostly compile the source.
process.env["NODE_COMPILE_CACHE"] ??= join(root, "node_modules", ".cache", "compiled")

/** Suites that start processes of their own: side by side they would take each other's time. */
const processSuites = [
  "storage/[cC]rash",
  "chaos",
  "cluster",
  "cli/",
  "http",
  "examples",
  "package",
  "docs",
  "tooling/Summ"
]
  .flatMap((suite) => [`test/${suite}*.test.ts`, `test/${suite}*/**/*.test.ts`])

export default defineConfig({
  root,
  resolve: { conditions: ["everwrite-source"] },
  ssr: { resolve: { conditions: ["everwrite-source"], externalConditions: ["everwrite-source"] } },
  test: {
    setupFiles: ["test/tooling/setup.ts"],
    reporters: ["default", "./test/tooling/SummaryReporter.ts"],
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: processSuites,
          maxWorkers: 2,
          sequence: { groupOrder: 0 }
        }
      },
      {
        extends: true,
        test: {
          name: "process",
          include: processSuites,
          maxWorkers: 1,
          sequence: { groupOrder: 1 }
        }
      }
    ]
  }
})
