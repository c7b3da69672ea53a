/**
 * Writes results to standard output: JSON for programs, lines and tables for people. Remarks about
 * a result go to standard error, so that a result can always be piped.
 */
import { displayWidth } from "effect/cli/CliOutput"
import * as Console from "effect/Console"
import type * as Effect from "effect/Effect"
import { visible, visibleJson } from "../core/model/VisibleText.ts"

/**
 * Text as it is, anything else as JSON on one line. On a terminal, which would carry out control
 * characters, text is shown with them escaped; a pipe gets them.
 */
export const plain = (value: unknown): string => {
  if (typeof value !== "string") return visibleJson(value)
  return process.stdout.isTTY ? visible(value) : value
}

/** JSON on one line, for people too. */
export const jsonText = visibleJson

export const json = (value: unknown): Effect.Effect<void> => Console.log(jsonText(value))

export const line = (text: string): Effect.Effect<void> => Console.log(text)

export const note = (text: string): Effect.Effect<void> => Console.error(text)

/** Rows under their headings, in columns two spaces apart. */
export const table = (
  headings: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>
): Effect.Effect<void> => {
  const lines = [headings, ...rows.map((cells) => cells.map(visible))]
  const widths = headings.map((_, column) =>
    Math.max(...lines.map((cells) => displayWidth(cells[column] ?? "")))
  )
  const pad = (cell: string, column: number) =>
    cell + " ".repeat(Math.max(0, widths[column]! - displayWidth(cell)))
  return Console.log(lines.map((cells) => cells.map(pad).join("  ").trimEnd()).join("\n"))
}

/** An age, of something that may never have been. */
export const ago = (millis: number | undefined): string =>
  millis === undefined ? "-" : `${(millis / 1000).toFixed(1)} s ago`

const cellLengthMax = 60

/** A value cut to the width of a column. */
export const cell = (value: unknown): string => {
  const text = visibleJson(value)
  return text.length > cellLengthMax ? `${text.slice(0, cellLengthMax)}...` : text
}
