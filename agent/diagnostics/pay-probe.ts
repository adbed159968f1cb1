import { readFile } from "node:fs/promises";
import { AgentError } from "../common/errors.ts";
import { silentLog } from "../common/log/log.ts";
import { userAgent } from "../common/version.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Probe, ProbeOptions } from "../wechatpay/health-probe.ts";
import type { DiagnoseContext } from "./check.ts";
import { type Endpoint, endpointsOf, isNumeric } from "./endpoint.ts";
import { secretsOf } from "./facts.ts";
import { hasAnswered, type NameReading, readName, readResolvers } from "./host/dns.ts";

/** A technician waits: less than the agent's own patience, and still enough for a slow mobile network. */
const CONNECT_MS = 4_000;
const ATTEMPT_MS = 6_000;

/** What the network checks and the clock's offset rest on. Read once in a run; ends by its own deadlines, whichever check asked first. */
const unhurried = new AbortController().signal;

export function ways(context: DiagnoseContext): readonly Endpoint[] {
  return context.loaded === undefined ? [] : endpointsOf(context.loaded.config.wechatpay);
}

/** Every hop that has a name, looked up. */
export function hopNames(context: DiagnoseContext): Promise<readonly NameReading[]> {
  return context.once("network.names", async () => {
    const hosts = new Set(ways(context).map(({ hop }) => hop.host));
    const servers = await readResolvers();
    const named = [...hosts].filter((host) => !isNumeric(host));
    return await Promise.all(named.map((host) => readName(host, servers, context.clock, unhurried)));
  });
}

/** A harmless request to every base URL at once, by the agent's own client. Empty without a configuration. */
export function payProbes(context: DiagnoseContext): Promise<readonly Probe[]> {
  return context.once("wechatpay.probes", async () => {
    const { loaded, clock } = context;
    if (loaded === undefined) return [];
    const [{ probe }, names, secrets] = await Promise.all([
      import("../wechatpay/health-probe.ts"),
      hopNames(context),
      readableSecrets(context, loaded),
    ]);
    const { wechatpay, identity } = loaded.config;
    const slow = names.some(({ resolvers }) => !resolvers.every(hasAnswered));
    const options: ProbeOptions = {
      config: {
        ...wechatpay,
        // Behind a dead resolver the name alone takes five seconds, for the agent, too: then as long as it waits itself.
        connectTimeoutMs: Math.min(wechatpay.connectTimeoutMs, slow ? Number.POSITIVE_INFINITY : CONNECT_MS),
        attemptTimeoutMs: Math.min(wechatpay.attemptTimeoutMs, slow ? Number.POSITIVE_INFINITY : ATTEMPT_MS),
      },
      ...{ identity, secrets, clock, userAgent, random: context.random, log: silentLog },
    };
    const one = async ({ baseUrl, hop }: Endpoint): Promise<Probe> => {
      const failure = names.find(({ host }) => host === hop.host)?.failure;
      if (failure === undefined) return await probe(baseUrl, options, unhurried);
      // Asked again, it would only wait a second time.
      const error = new AgentError("PAY_DNS", {}, { context: { system: failure } });
      return { baseUrl, ms: 0, signed: false, error };
    };
    return await Promise.all(endpointsOf(wechatpay).map(one));
  });
}

/** All secrets when they are good; else what the way alone needs, so that a bad key does not hide a bad network. */
async function readableSecrets(context: DiagnoseContext, loaded: LoadedConfig): Promise<ProbeOptions["secrets"]> {
  const { secrets } = await secretsOf(context);
  if (secrets !== undefined) return secrets;
  const { caFile } = loaded.config.wechatpay;
  const ca = caFile === undefined ? undefined : await readFile(caFile, "utf8").catch(() => undefined);
  return ca === undefined ? {} : { ca };
}
