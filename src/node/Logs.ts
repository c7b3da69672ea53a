/**
 * Sends logs to standard error, for people on a terminal and as JSON lines elsewhere, so that
 * standard output holds results alone.
 */
import * as Layer from "effect/Layer"
import type { LogLevel } from "effect/LogLevel"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import type { Settings } from "./Settings.ts"

const levels: Readonly<Record<Settings["logLevel"], LogLevel>> = {
  trace: "Trace",
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  error: "Error",
  none: "None"
}

const loggers = {
  pretty: () => Logger.consolePretty({ mode: "tty", colors: process.stderr.isTTY }),
  json: () => Logger.withConsoleError(Logger.formatJson),
  logfmt: () => Logger.withConsoleError(Logger.formatLogFmt)
}

export const layerLogs = (
  settings: Pick<Settings, "logFormat" | "logLevel">
): Layer.Layer<never> => {
  const format = settings.logFormat ?? (process.stderr.isTTY ? "pretty" : "json")
  return Layer.mergeAll(
    Logger.layer([loggers[format]()]),
    Layer.succeed(Logger.LogToStderr, true),
    Layer.succeed(References.MinimumLogLevel, levels[settings.logLevel])
  )
}
