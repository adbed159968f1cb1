import dns from "node:dns";
import type { LookupFunction } from "node:net";

/**
 * How long one address may take before the next is tried. Node's own 250 ms fails on every slow mobile network, where
 * the handshake alone takes longer (nodejs/node#54359); without any, a dead IPv6 route takes all the time there is.
 */
export const ADDRESS_TIMEOUT_MS = 1_000;

export interface NameLookup {
  /** For `net.connect`. */
  readonly lookup: LookupFunction;
  /** Whether an answer of the name servers is being waited for. */
  readonly waiting: boolean;
  /** The next connection begins with other addresses. */
  turn(): void;
}

/**
 * The system's own resolver (getaddrinfo), asked anew for every connection. It gives a host's addresses in the same order
 * each time, and within `connectTimeoutMs` only the first few of them get their second: after a failure the next attempt
 * begins where this one had no time left, so that one live address among many dead ones is found.
 */
export function createNameLookup(connectTimeoutMs: number): NameLookup {
  const triedAtOnce = Math.max(1, Math.floor(connectTimeoutMs / ADDRESS_TIMEOUT_MS));
  let skipped = 0;
  let latest: symbol | undefined;
  return {
    lookup(hostname, options, callback) {
      const own = Symbol(hostname);
      latest = own;
      dns.lookup(hostname, { ...options, all: true }, (error, addresses) => {
        if (latest === own) latest = undefined;
        if (error) return callback(error, []);
        const from = skipped % addresses.length;
        callback(null, [...addresses.slice(from), ...addresses.slice(0, from)]);
      });
    },
    get waiting() {
      return latest !== undefined;
    },
    turn() {
      latest = undefined;
      skipped += triedAtOnce;
    },
  };
}
