/**
 * Tells names and addresses that lead to this machine only, so that what is open to all who reach
 * it is open to its own users alone.
 */

/** Whether a host name or address, with or without the brackets of IPv6, is loopback. */
export const isLoopback = (host: string): boolean =>
  /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/iu.test(host)

/** The host in an address of a broker, which may have a scheme, a user and a port. */
const hostOf = (address: string): string =>
  address.trim().replace(/^[a-z]+:\/\//iu, "").replace(/^.*@/u, "").replace(/[/?#].*$/u, "")
    .replace(/:\d*$/u, "")

/** Whether each of the brokers, with commas between them, is on this machine. */
export const areLoopback = (addresses: string): boolean =>
  addresses.split(",").every((address) => isLoopback(hostOf(address)))
