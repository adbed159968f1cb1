import { lookup, Resolver } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import type { Clock } from "../../common/clock.ts";
import { systemCode } from "../../common/errors.ts";

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
 * Asks each resolver for itself, then looks the name up as the agent does. Not when all of them are silent: getaddrinfo(3) would wait
 * for them in its turn, for ten seconds and more, on a thread of the pool that file access needs, too, and cannot be called off.
 */
export async function readName(
  host: string,
  servers: readonly string[],
  clock: Clock,
  signal: AbortSignal,
): Promise<NameReading> {
  const asked = await Promise.all(servers.map((server) => askResolver(host, server, clock)));
  const resolvers = asked.map(({ addresses: _addresses, ...reading }) => reading);
  const answered = asked.filter(hasAnswered);
  if (servers.length > 0 && answered.length === 0) {
    const addresses = addressesIn(await readFile("/etc/hosts", "utf8").catch(() => ""), host);
    return {
      host,
      addresses,
      resolvers,
      ...(addresses.length > 0 ? {} : { failure: asked[0]?.outcome ?? "ETIMEOUT" }),
    };
  }
  const found = await lookUp(host, clock, signal);
  // The first resolver is dead and another one is not: the agent gets its answer, too, only later.
  const others = found.failure === "ETIMEOUT" ? answered.flatMap(({ addresses }) => addresses) : [];
  return others.length > 0 ? { host, addresses: others, resolvers } : { host, ...found, resolvers };
}

/** Whether a resolver is at work, if only to say that there is no such name. */
export function hasAnswered({ outcome }: Pick<ResolverReading, "outcome">): boolean {
  return outcome === "ok" || outcome === "ENOTFOUND";
}

/** What /etc/hosts says of a name. */
export function addressesIn(hosts: string, name: string): string[] {
  return hosts.split("\n").flatMap((line) => {
    const [address = "", ...names] = (line.split("#")[0] ?? "").trim().split(/\s+/);
    return names.some((each) => each.toLowerCase() === name.toLowerCase()) ? [address] : [];
  });
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

async function askResolver(
  host: string,
  server: string,
  clock: Clock,
): Promise<ResolverReading & { readonly addresses: readonly string[] }> {
  const startedAt = clock.boot();
  const resolver = new Resolver({ timeout: RESOLVER_MS, tries: 1 });
  const ended = (outcome: string, addresses: readonly string[] = []) => {
    return { server, ms: Math.round(clock.boot() - startedAt), outcome, addresses };
  };
  try {
    resolver.setServers([server.includes(":") ? `[${server}]` : server]);
    return ended("ok", await resolver.resolve4(host));
  } catch (error) {
    const code = systemCode(error) ?? "unknown";
    // A name with IPv6 addresses alone is as good as any.
    return ended(code === "ENODATA" ? "ok" : code);
  }
}
