#!/usr/bin/env node
// Refuses an old Node in one sentence before anything is imported. Plain JavaScript of 2018,
// since a file that an old Node cannot parse would end in a syntax error instead; what it
// imports is `main.ts`, built. Node keeps what it compiled, for the next command.
const needed = [22, 19]
const found = process.versions.node.split(".").map(Number)

if (found[0] < needed[0] || (found[0] === needed[0] && found[1] < needed[1])) {
  console.error(
    "Node " + process.versions.node + " found; everwrite needs " + needed.join(".") + " or newer"
  )
  process.exitCode = 1
} else {
  void import("./OwnProcess.js").then((own) => {
    own.beginAnew()
    return import("node:module")
  }).then((module) => {
    module.enableCompileCache()
    return import("./main.js")
  })
}
