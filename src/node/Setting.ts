/**
 * Reads settings from several sources: the first source that has one wins, and a wrong one ends the
 * start with an error that names it, its source, its value and the accepted values.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import { publicAddress } from "../core/model/PublicAddress.ts"
import { hidesCharacters, trimmed, trimmedSecret, visible } from "../core/model/VisibleText.ts"

export interface Setting<S extends Schema.Codec<any, any>, Otherwise> {
  /** The environment variable. */
  readonly variable: string
  /** The flag, unless it is the setting's own name: `--http-host` for `httpHost`. */
  readonly flag?: string
  /** From the text of a flag or variable, and from a value in a file or a program. */
  readonly schema: S
  /** The accepted values, in words. */
  readonly expected: string
  /** Its value where no source has one; undefined where `about` gives a formula. */
  readonly otherwise: Otherwise
  /** Its meaning and unit, how to choose it, and the cost of raising it. */
  readonly about: string
  /** Secrets have no flag, since other users of the machine see those, and are never shown. */
  readonly secret?: boolean
}

/** A setting with its types as they are. */
export const setting = <
  S extends Schema.Codec<any, any>,
  const Otherwise extends S["Type"] | undefined
>(parts: Setting<S, Otherwise>): Setting<S, Otherwise> => parts

/** The path of a file or folder. */
export const path = (variable: string, about: string, flag?: string) =>
  setting({
    ...flag === undefined ? {} : { flag },
    variable,
    schema: Schema.NonEmptyString,
    expected: "a path",
    otherwise: undefined,
    about
  })

/** A text that is never shown. */
export const secret = (variable: string, about: string) =>
  setting({
    variable,
    schema: Schema.RedactedFromValue(Schema.NonEmptyString),
    expected: "a text",
    otherwise: undefined,
    about,
    secret: true
  })

export const Switch = Schema.Union([
  Schema.Boolean,
  Schema.Literals(["true", "on", "false", "off"]).pipe(Schema.decodeTo(Schema.Boolean, {
    decode: SchemaGetter.transform((text) => text === "true" || text === "on"),
    encode: SchemaGetter.transform((isOn): "on" | "off" => (isOn ? "on" : "off"))
  }))
])

export type AnySetting = Setting<Schema.Codec<any, any>, unknown>

const faultFields = {
  setting: Schema.String,
  /** Absent where nothing was given. */
  value: Schema.optionalKey(Schema.String),
  origin: Schema.String,
  expected: Schema.String
}
const Fault = Schema.Struct(faultFields)

const faultText = ({ expected, origin, setting, value }: typeof Fault.Type): string => {
  const fault = value === undefined ? "is not set" : `is ${value}`
  return `${setting} ${fault} (${origin}); expected ${expected}`
}

/** A setting that does not fit: its name, its value, its source, and the accepted values. */
export class InvalidSetting extends Schema.TaggedError<InvalidSetting>()("InvalidSetting", {
  ...faultFields,
  /** Other settings that do not fit; left out where there is none. */
  others: Schema.optionalKey(Schema.Array(Fault))
}) {
  /** One line for each setting. */
  override get message(): string {
    return [this, ...this.others ?? []].map(faultText).join("\n")
  }
}

/** A fault of several settings together, which says nothing where one of them is wrong itself. */
export interface JointFault {
  readonly causes: ReadonlyArray<string>
  readonly fault: InvalidSetting
}

/** One error of all faults, so that nobody starts a node as often as it has faults. */
export const together = (
  [first, ...others]: readonly [InvalidSetting, ...ReadonlyArray<InvalidSetting>]
): InvalidSetting => {
  if (others.length === 0) return first
  const { expected, origin, setting, value } = first
  const given = value === undefined ? {} : { value }
  return new InvalidSetting({ setting, ...given, origin, expected, others })
}

/** A value, and the name it has where it was found. */
export interface Given {
  readonly value: unknown
  readonly origin: string
}

export type Source = (name: string, setting: AnySetting) => Given | undefined

type Texts = Readonly<Record<string, string | undefined>>

export const flagName = (name: string, { flag }: AnySetting): string =>
  flag ?? name.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)

/** An editor for another system, or a copy from a page, leaves characters that mean nothing. */
const withoutEnds = (value: unknown, { secret }: AnySetting): unknown =>
  typeof value !== "string" ? value : secret === true ? trimmedSecret(value) : trimmed(value)

/** Flags of a command line, by the names of their settings. */
export const fromFlags = (flags: Texts): Source => (name, setting) =>
  flags[name] === undefined ? undefined : {
    value: withoutEnds(flags[name], setting),
    origin: `from --${flagName(name, setting)}`
  }

/** An empty variable counts as none: that is how a compose file passes on one that is not set. */
export const fromEnvironment = (environment: Texts): Source => (_name, setting) => {
  const { variable } = setting
  const value = withoutEnds(environment[variable], setting)
  return value === undefined || value === "" ? undefined : { value, origin: `from ${variable}` }
}

/** The fields of a config file, or of the options that a program gives. */
export const fromObject =
  (values: Readonly<Record<string, unknown>>, origin: string): Source => (name, setting) =>
    values[name] === undefined
      ? undefined
      : { value: withoutEnds(values[name], setting), origin: `from ${origin}` }

/** A folder whose name has a character that nobody sees would be another, new one. */
const isSeen = (value: unknown, { secret }: AnySetting): boolean =>
  secret === true || typeof value !== "string" || !hidesCharacters(value)

/** The value of a setting in the first source that has it; its `otherwise` where none has. */
export const read = (
  name: string,
  setting: AnySetting,
  sources: ReadonlyArray<Source>
): Effect.Effect<Given, InvalidSetting> => {
  for (const source of sources) {
    const given = source(name, setting)
    if (given === undefined) continue
    const decoded = Schema.decodeUnknownOption(setting.schema)(given.value)
    const seen = isSeen(given.value, setting)
    if (seen && Option.isSome(decoded)) return Effect.succeed({ ...given, value: decoded.value })
    const expected = seen ? setting.expected : `${setting.expected}, without invisible characters`
    const value = setting.secret === true ? "a secret that does not fit" : show(given.value)
    const { origin } = given
    return Effect.fail(
      new InvalidSetting({ setting: name, value, origin, expected })
    )
  }
  return Effect.succeed({ value: setting.otherwise, origin: "by default" })
}

const shownLengthMax = 200

const show = (value: unknown): string => {
  const given = typeof value === "string" ? value : JSON.stringify(value) ?? String(value)
  const text = visible(/@|:\/\//u.test(given) ? publicAddress(given) : given)
  return text.length > shownLengthMax ? `${text.slice(0, shownLengthMax)}...` : text
}

/** Whole numbers, or decimal digits that mean one. */
export const integer = (range: { readonly minimum: number; readonly maximum: number }) => {
  const fitting = Schema.Int.check(Schema.isBetween(range))
  const digits = Schema.String.check(Schema.isPattern(/^\d{1,16}$/u))
  return Schema.Union([
    fitting,
    digits.pipe(Schema.decodeTo(fitting, {
      decode: SchemaGetter.transform(Number),
      encode: SchemaGetter.transform(String)
    }))
  ])
}
