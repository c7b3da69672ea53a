/**
 * Offers a node to Effect programs that are one, without the services that it is made of.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { Everwrite } from "../client/Everwrite.ts"
import type { Config, InvalidConfig } from "./ConfigFile.ts"
import { EverwriteNode as Live, type LiveNode, type StartFailure } from "./Node.ts"

export interface NodeService {
  readonly name: string
  /** Where it answers HTTP; undefined where that is off. */
  readonly address: string | undefined
  /** The broker that it is connected to. */
  readonly natsAddress: string
  /** Fails once this node cannot go on, or another process under its id goes on instead. */
  readonly ended: LiveNode["ended"]
}

/**
 * The node as a service: the layer starts it, gives programs its client without a hop, and stops it
 * with the program.
 */
export class EverwriteNode
  extends Context.Service<EverwriteNode, NodeService>()("everwrite/node/NodeService")
{
  /** With the buckets and settings of `config`; no flag, variable or file is looked at. */
  static layer(
    config: Config
  ): Layer.Layer<EverwriteNode | Everwrite, StartFailure | InvalidConfig> {
    return Live.layer(config).pipe(
      Layer.flatMap((context) => {
        const { address, ended, natsAddress, settings } = Context.get(context, Live)
        const shown: NodeService = { name: settings.node, address, natsAddress, ended }
        return Layer.succeedContext(Context.add(context, EverwriteNode, shown))
      })
    )
  }
}
