/**
 * Lays rows out as a table of aligned columns: words to the left, figures to the right.
 */
export type Columns<Row> = ReadonlyArray<
  readonly [head: string, cell: (row: Row) => string, align?: "left"]
>

export const tableOf = <Row>(columns: Columns<Row>, rows: ReadonlyArray<Row>): string => {
  const heads = columns.map(([head]) => head)
  const lines = [heads, ...rows.map((row) => columns.map(([, cell]) => cell(row)))]
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)))
  const pad = (cell: string, i: number): string =>
    columns[i]![2] === "left" ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)
  return lines.map((line) => line.map(pad).join("  ").trimEnd()).join("\n")
}
