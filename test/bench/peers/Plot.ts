/**
 * Draws a comparison as SVG: for each load a group of bars, one for each program, on a scale that
 * grows tenfold from line to line, since a program's worst load and its best lie that far apart.
 */
import { loads } from "./Loads.ts"
import type { Row } from "./Report.ts"

const colours = ["#1f6f8b", "#7fb7be", "#8d99ae", "#e07a5f", "#f2cc8f", "#81b29a"]
const bar = 9
const gap = 12
const left = 190
const width = 560
const top = 46

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")

const text = (x: number, y: number, content: string, more = ""): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${more}>${escaped(content)}</text>`

interface Scale {
  readonly least: number
  readonly most: number
  readonly x: (value: number) => number
}

const scaleOf = (rows: ReadonlyArray<Row>): Scale => {
  const speeds = rows.map(({ perSecond }) => Math.max(perSecond, 1))
  const least = Math.floor(Math.log10(Math.min(...speeds)))
  const most = Math.ceil(Math.log10(Math.max(...speeds)))
  const share = (value: number) =>
    (Math.log10(Math.max(value, 1)) - least) / Math.max(most - least, 1)
  return { least, most, x: (value) => left + width * share(value) }
}

const gridOf = ({ least, most, x }: Scale, bottom: number): ReadonlyArray<string> =>
  Array.from({ length: most - least + 1 }, (_, i) => 10 ** (least + i)).flatMap((value) => [
    `<path d="M${x(value).toFixed(1)} ${top - 6}V${bottom}" stroke="#ddd"/>`,
    text(x(value), top - 10, value.toLocaleString("en"), " text-anchor=\"middle\"")
  ])

/** Operations a second, by load and program. */
export const plot = (rows: ReadonlyArray<Row>): string => {
  const drawn = rows.filter(({ load }) => loads[load]!.rate === undefined)
  const names = [...new Set(drawn.map(({ program }) => program))]
  const scale = scaleOf(drawn)
  const shapes: Array<string> = []
  let y = top
  let group = ""
  for (const { inFlight, load, perSecond, program, spread } of drawn) {
    const title = `${loads[load]!.title}, ${inFlight} in flight`
    if (title !== group) {
      if (group !== "") y += gap
      shapes.push(text(left - 8, y + bar, title, " text-anchor=\"end\""))
      group = title
    }
    const colour = colours[names.indexOf(program) % colours.length]
    const [least, most] = [scale.x(spread[0]), scale.x(spread[1])]
    const end = scale.x(perSecond)
    const middle = (y + bar / 2).toFixed(1)
    shapes.push(
      `<rect x="${left}" y="${y}" width="${(end - left).toFixed(1)}" height="${bar - 1}"`
        + ` fill="${colour}"/>`,
      `<path d="M${least.toFixed(1)} ${middle}H${most.toFixed(1)}" stroke="#222"/>`,
      text(Math.max(end, most) + 4, y + bar - 1, perSecond.toFixed(0))
    )
    y += bar
  }
  const legend = names.map((name, i) =>
    `<rect x="${left + i * 95}" y="6" width="10" height="10" fill="${
      colours[i % colours.length]
    }"/>`
    + text(left + i * 95 + 14, 15, name)
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + width + 70}" height="${y + 28}"`
    + " font-family=\"sans-serif\" font-size=\"10\">",
    "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
    text(left, y + 18, "operations a second: the median, and a line from the least to the most"),
    ...legend,
    ...gridOf(scale, y),
    ...shapes,
    "</svg>",
    ""
  ].join("\n")
}
