// Prints the closing line that continuous integration reads: "N passed, N failed, N skipped".
import type { Reporter, TestModule } from "vitest/node"

export default class SummaryReporter implements Reporter {
  /**
   * Failed are tests, but also files and suites that broke outside a test, and errors that
   * nothing caught: a run that exits with a failure counts at least one.
   */
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandled: ReadonlyArray<unknown>): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0 }
    for (const module of modules) {
      const suites = [module, ...module.children.allSuites()]
      count.failed += suites.filter((suite) => suite.errors().length > 0).length
      for (const test of module.children.allTests()) {
        const state = test.result().state
        if (state === "passed" || state === "failed" || state === "skipped") count[state]++
      }
    }
    // The last line of the run: nothing may print after it.
    process.on("exit", (code) => {
      const failed = code === 0 ? count.failed : Math.max(count.failed, 1)
      const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ""
      process.stdout.write(`\n${count.passed} passed, ${failed} failed${skipped}\n`)
    })
  }
}
