import { lookup, Resolver } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import type { Clock } from "../clock.ts";
import { systemCode } from "../errors.ts";

/** What one resolver of /etc/resolv.conf did with a name. */
export interface ResolverReading {
  readonly server: string;
  readonly ms: number;
  /** "ok", "ENOTFOUND" (it answered that there is none), or why it did not answer. */
  readonly outcome: string;
}

export interface NameReading {
  readonly host: string;
  /** As the agent itself gets them, /etc/hosts included. */
  readonly addresses: readonly string[];
  /** Why there are none. */
  readonly failure?: string;
  readonly resolvers: readonly ResolverReading[];
}

const RESOLVER_MS = 2_000;
const LOOKUP_MS = 2_500;
/** glibc reads no more. */
const MOST_SERVERS = 3;

/** The servers of a resolv.conf, in order. */
export function parseResolvConf(text: string): string[] {
  const servers = [...text.matchAll(/^[ \t]*nameserver[ \t]+([0-9A-Fa-f.:]+(?:%\S+)?)/gm)].map(
    ([, server = ""]) => server,
  );
  return servers.slice(0, MOST_SERVERS);
}

export async function readResolvers(file = "/etc/resolv.conf"): Promise<string[]> {
  return parseResolvConf(await readFile(file, "utf8").catch(() => ""));
}

/**
 * Looks a name up as the agent does, and asks each resolver for itself. One getaddrinfo a name and no more: it sits on a thread of
 * the pool that file access needs, too, and cannot be called off.
 */
export async function readName(
  host: string,
  servers: readonly string[],
  clock: Clock,
  signal: AbortSignal,
): Promise<NameReading> {
  const [found, resolvers] = await Promise.all([
    lookUp(host, clock, signal),
    Promise.all(servers.map((server) => askResolver(host, server, clock))),
  ]);
  return { host, ...found, resolvers };
}

async function lookUp(
  host: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Pick<NameReading, "addresses" | "failure">> {
  const done = new AbortController();
  const late = clock.sleep(LOOKUP_MS, AbortSignal.any([signal, done.signal])).then(
    () => "ETIMEOUT",
    () => "ECANCELLED",
  );
  const work = lookup(host, { all: true }).then(
    (found) => found.map(({ address }) => address),
    (error: unknown) => systemCode(error) ?? "unknown",
  );
  const found = await Promise.race([work, late]);
  done.abort();
  return typeof found === "string" ? { addresses: [], failure: found } : { addresses: found };
}

async function askResolver(host: string, server: string, clock: Clock): Promise<ResolverReading> {
  const startedAt = clock.boot();
  const resolver = new Resolver({ timeout: RESOLVER_MS, tries: 1 });
  const outcome = await ask(resolver, host, server);
  return { server, ms: Math.round(clock.boot() - startedAt), outcome };
}

async function ask(resolver: Resolver, host: string, server: string): Promise<string> {
  try {
    resolver.setServers([server.includes(":") ? `[${server}]` : server]);
    await resolver.resolve4(host);
    return "ok";
  } catch (error) {
    const code = systemCode(error) ?? "unknown";
    // A name with IPv6 addresses alone is as good as any.
    return code === "ENODATA" ? "ok" : code;
  }
}
