import dns, { type LookupAddress, type LookupOptions } from "node:dns";
import { isIPv6, type LookupFunction } from "node:net";
import { AgentError, systemCode } from "../../common/errors.ts";
import { isImpossible } from "./address-kind.ts";

/**
 * How long one address may take before the next is tried. Node's own 250 ms fails on every slow mobile network, where
 * the handshake alone takes longer (nodejs/node#54359); without any, a dead IPv6 route takes all the time there is.
 */
const ADDRESS_TIMEOUT_MS = 1_000;
/** Where no address connected within that: as long as a second SYN needs whose first was lost (RFC 6298: after 1 s) on a slow line. */
const PATIENT_TIMEOUT_MS = 2_800;

export interface NameLookup {
  /** For `net.connect`. */
  readonly lookup: LookupFunction;
  /** For the next connection. */
  readonly addressTimeoutMs: number;
  /** Whether an answer of the name servers is being waited for. */
  readonly waiting: boolean;
  /** What the last answer says of a connection that does not come about. */
  readonly fault: AgentError | undefined;
  /** The next connection begins with other addresses, and waits shorter or longer for each. */
  turn(): void;
}

type Resolve = (
  hostname: string,
  options: LookupOptions & { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * The system's own resolver (getaddrinfo), asked anew for every connection. It gives a host's addresses in the same order
 * each time, and within `connectTimeoutMs` only the first few of them get their second: after a failure the next attempt
 * begins where this one had no time left, so that one live address among many dead ones is found. Every other attempt waits
 * longer for fewer addresses: many that are alive and slow must not each be given up just before it answers.
 */
export function createNameLookup(connectTimeoutMs: number, resolve: Resolve = dns.lookup): NameLookup {
  let skipped = 0;
  let patient = false;
  let latest: symbol | undefined;
  let fault: AgentError | undefined;
  const addressTimeoutMs = () => (patient ? PATIENT_TIMEOUT_MS : ADDRESS_TIMEOUT_MS);

  return {
    lookup(hostname, options, callback) {
      const own = Symbol(hostname);
      latest = own;
      fault = undefined;
      const ended = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => {
        if (latest === own) latest = undefined;
        if (error) return callback(error, []);
        fault ??= forged(hostname, addresses);
        const from = skipped % addresses.length;
        callback(null, [...addresses.slice(from), ...addresses.slice(0, from)]);
      };
      resolve(hostname, { ...options, all: true }, (error, addresses) => {
        if (error?.code !== "ENOTFOUND" || !options.hints) return ended(error, addresses);
        // Node asks for addresses of the kinds that this machine has itself (AI_ADDRCONFIG): perhaps there are others.
        resolve(hostname, { ...options, all: true, hints: 0 }, (still, others) => {
          if (still) return ended(error, []);
          fault = withoutFamily(hostname, others);
          ended(null, others);
        });
      });
    },
    get addressTimeoutMs() {
      return addressTimeoutMs();
    },
    get waiting() {
      return latest !== undefined;
    },
    get fault() {
      return fault;
    },
    turn() {
      latest = undefined;
      skipped += Math.max(1, Math.floor(connectTimeoutMs / addressTimeoutMs()));
      patient = !patient;
    },
  };
}

function forged(host: string, found: readonly LookupAddress[]): AgentError | undefined {
  const addresses = found.map(({ address }) => address);
  if (!addresses.every((address) => isImpossible(host, address))) return undefined;
  return new AgentError("PAY_DNS_FORGED", { host, addresses });
}

function withoutFamily(host: string, [first]: readonly LookupAddress[]): AgentError {
  const missing = isIPv6(first?.address ?? "") ? "IPv6" : "IPv4";
  return new AgentError("PAY_IP_VERSION", { host, missing });
}

/** A connection's failure, told by what the name servers had said; its own code where they had said nothing odd. */
export function explainedByName(fault: AgentError | undefined, error: unknown): AgentError | undefined {
  const system = systemCode(error);
  return fault?.with(system === undefined ? {} : { system }, error);
}
