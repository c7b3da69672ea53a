/**
 * Writes a host as it stands in a URL: an address of IPv6 in brackets, since its colons would
 * begin a port.
 *
 * @see RFC 3986, section 3.2.2
 */
export const urlHost = (host: string): string => host.includes(":") ? `[${host}]` : host
