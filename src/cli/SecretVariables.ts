/**
 * Lists the environment variables that have no flag, since other users of a machine can read the
 * flags of a process: for the help of the commands that read them.
 */
import { settingNames, settings } from "../node/Settings.ts"
import type { Variable } from "./Help.ts"

const listed = (names: ReadonlyArray<keyof typeof settings>): ReadonlyArray<Variable> =>
  names.map((name) => [settings[name].variable, settings[name].about])

/** Of a node. */
export const secretVariables = listed(
  settingNames.filter((name) => "secret" in settings[name] && settings[name].secret)
)

/** Of a client: its credentials for HTTP and for NATS. */
export const connectionVariables: ReadonlyArray<Variable> = [
  ["EVERWRITE_HTTP_TOKEN", "The token that a node asks for over HTTP, as --token."],
  ...listed(
    settingNames.filter((name) =>
      name.startsWith("nats") && name !== "nats" && name !== "natsInboxPrefix"
    )
  ),
  ...listed(["natsInboxPrefix"])
]
