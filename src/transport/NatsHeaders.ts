/**
 * The headers that messages have here: the span of a request, and the error of an answer.
 */
import { headers, type MsgHdrs } from "@nats-io/transport-node"
import type { ServiceFault } from "./Transport.ts"

/** Of W3C Trace Context. */
export const traceHeader = "traceparent"
/** As `nats micro` and the libraries of NATS services know them. */
const faultHeader = "Nats-Service-Error"
const faultCodeHeader = "Nats-Service-Error-Code"

export const faultIn = (given: MsgHdrs): ServiceFault | undefined =>
  given.has(faultHeader)
    ? { code: Number(given.last(faultCodeHeader)), description: given.last(faultHeader) }
    : undefined

/** More than the headers of a message that names a span. */
export const traceBytes = 128

export const publishOptions = (
  reply: string | undefined,
  traceparent: string | undefined,
  fault: ServiceFault | undefined
) => {
  if (traceparent === undefined && fault === undefined) {
    return reply === undefined ? undefined : { reply }
  }
  const own = headers()
  if (traceparent !== undefined) own.set(traceHeader, traceparent)
  if (fault !== undefined) {
    own.set(faultHeader, fault.description)
    own.set(faultCodeHeader, String(fault.code))
  }
  return { headers: own, ...(reply === undefined ? {} : { reply }) }
}
