import { RejectionLog } from "../api/http/rejection-log.ts";
import { createApiServer } from "../api/http/server.ts";
import type { Clock } from "../common/clock.ts";
import type { PinoLog } from "../common/log/pino-log.ts";
import type { Random } from "../common/random.ts";
import { version } from "../common/version.ts";
import type { Environment } from "../config/settings.ts";
import { createForwarder } from "../wechatpay/forward.ts";
import { FleetBook } from "./fleet-book.ts";
import { createHandler } from "./handler.ts";
import { healthRoutes } from "./health.ts";
import type { Loaded } from "./load.ts";
import { createGatewayMetrics } from "./metrics.ts";
import { RateLimit } from "./rate-limit.ts";
import { RuntimeConfig } from "./runtime-config.ts";
import { listen, openTlsServer, type TlsServer } from "./tls/tls-server.ts";
import { Warnings } from "./warnings.ts";

/** How long requests under way may take when the gateway stops: both base URLs and a slow terminal. */
const GRACE_MS = 15_000;

export interface GatewayDeps {
  readonly file: string;
  readonly env: Environment;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: PinoLog;
}

export interface Gateway {
  /** Reads configuration and files anew; never rejects. */
  reload(): Promise<void>;
  /** Stops listening, lets what is under way finish, and resolves when all is closed. */
  close(): Promise<void>;
}

/** Composes a gateway and opens its two listeners. Rejects with an AgentError when a place cannot be had. */
export async function openGateway(deps: GatewayDeps, loaded: Loaded): Promise<Gateway> {
  const { file, env, clock, random, log } = deps;
  const rate = new RateLimit();
  const fleet = new FleetBook();
  const warnings = new Warnings(log);
  const rejections = new RejectionLog(clock, log, "GATEWAY_CONNECTIONS_REFUSED");
  const ending = new AbortController();
  let stopping = false;
  let tls: TlsServer | undefined;

  const metrics = await createGatewayMetrics(() => {
    runtimeConfig.judgeDates();
    const { now, secrets, registerLoadedMs } = runtimeConfig;
    const standing = warnings.list();
    return {
      devices: now.register.size,
      registerLoadedMs,
      registerInvalid: standing.some(({ code }) => code === "REGISTER_REFUSED"),
      trustInvalid: standing.some(({ code }) => code === "TRUST_REFUSED"),
      inFlight: handler.inFlight,
      connections: tls?.connections ?? 0,
      certificateEndsMs: secrets.certificateEndsMs,
      crlNextUpdateMs: now.revocations.first?.nextUpdateMs ?? 0,
      skewMs: now.forwarder.status().skewMs ?? 0,
      warnings: standing.length,
      fleet,
      now: clock.wall(),
      perDevice: now.config.healthPerDevice,
    };
  });
  const runtimeConfig = new RuntimeConfig(loaded, {
    file,
    env,
    clock,
    log,
    warnings,
    createForwarder: (config, secrets) =>
      createForwarder({
        config: config.wechatpay,
        identity: config.identity,
        secrets: secrets.wechatpay,
        clock,
        random,
        userAgent: `facepay-agent/${version} (gateway)`,
        onOutcome: ({ baseUrl, outcome }) => metrics.upstream(baseUrl, outcome),
      }),
    onRegister(register) {
      rate.keepOnly((deviceId) => register.has(deviceId));
      fleet.keepOnly((deviceId) => register.has(deviceId));
    },
    onTrust: () => tls?.renew(materialOf(runtimeConfig)),
    onSecrets(before) {
      tls?.renew(materialOf(runtimeConfig));
      clock
        .sleep(GRACE_MS, ending.signal)
        .catch(() => undefined)
        .then(() => before.close())
        .catch((error: unknown) => log.error("GATEWAY_INTERNAL", { error }));
    },
  });
  const handler = createHandler({
    now: () => runtimeConfig.now,
    rate,
    fleet,
    metrics,
    clock,
    log,
    ending: ending.signal,
  });
  const routes = healthRoutes(
    () => {
      runtimeConfig.judgeDates();
      const { now, registerLoadedMs } = runtimeConfig;
      return { stopping, devices: now.register.size, registerLoadedMs, warnings: warnings.list() };
    },
    () => metrics.render(),
  );
  const health = createApiServer(routes, { clock, log, denied: () => undefined });

  const close = async () => {
    stopping = true;
    await runtimeConfig.stop();
    const done = new AbortController();
    const grace = clock.sleep(GRACE_MS, done.signal).catch(() => undefined);
    await tls?.close(grace);
    done.abort("over");
    ending.abort("the gateway is stopping");
    await runtimeConfig.now.forwarder.close();
    await health.close();
  };

  const { config } = loaded;
  try {
    await listen(health.listener, config.health);
    tls = await openTlsServer({
      place: config.listen,
      tls: materialOf(runtimeConfig),
      connections: config.connections,
      clock,
      admits: handler.admits,
      handle: handler.handle,
      refused(reason) {
        metrics.refusedConnection(reason);
        rejections.count(reason);
      },
    });
  } catch (error) {
    await close();
    throw error;
  }
  await runtimeConfig.now.forwarder.prepare();
  runtimeConfig.watch();
  log.info("GATEWAY_SERVING", { ...config.listen, basePath: config.basePath, devices: loaded.register.size });
  return { reload: () => runtimeConfig.reload(), close };
}

function materialOf({ secrets, terminalCa }: Pick<RuntimeConfig, "secrets" | "terminalCa">) {
  return { ...secrets.tls, ...(terminalCa === undefined ? {} : { terminalCa }) };
}
