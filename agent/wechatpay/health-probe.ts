import { AgentError, asAgentError } from "../common/errors.ts";
import { SecretSearch } from "../common/log/redact.ts";
import { isExempt } from "../config/no-proxy.ts";
import type { WechatPaySecrets } from "../config/secrets/client-secrets.ts";
import { type CaptivePortal, findCaptivePortal } from "./captive-portal.ts";
import { createWechatPay, ECHO_PATH, type WechatPayOptions } from "./client.ts";
import { classifyStatus, classifyTransportError } from "./failure-classes.ts";
import { dateMs, isHtml } from "./headers.ts";
import { hasPort80, isHiddenBy } from "./portal-watch.ts";
import { createTarget, joined, sentSecrets } from "./signed-client.ts";
import { type Inspection, inspectTls } from "./transport/tls-inspector.ts";
import { isSuccess } from "./transport/transport.ts";
import { withTimeout } from "./transport/with-timeout.ts";

/** What one base URL had to say to a harmless request, for diagnose. */
export interface Probe {
  readonly baseUrl: string;
  readonly ms: number;
  /** False: no key was at hand, so that only the way has been tried, and a refusal is no verdict on the merchant. */
  readonly signed: boolean;
  /** Undefined after a verified answer. */
  readonly error?: AgentError;
  /** WeChat Pay's clock minus ours. */
  readonly skewMs?: number;
  /** Looked at when TLS did not come about. */
  readonly certificate?: Inspection;
  /** Looked for when the host did not answer. */
  readonly portal?: CaptivePortal;
}

export interface ProbeOptions extends Omit<WechatPayOptions, "secrets"> {
  /** Without its public key: what could be read all the same. */
  readonly secrets: WechatPaySecrets | Omit<WechatPaySecrets, "publicKey">;
  /** For plain HTTP; 80 but for tests. */
  readonly portalPort?: number;
}

const INSPECT_MS = 3_000;

/** `POST /v3/security/echo` by the agent's own client, and what more can be learnt when it fails. Never rejects but with the signal's reason. */
export async function probe(baseUrl: string, options: ProbeOptions, signal: AbortSignal): Promise<Probe> {
  const { clock } = options;
  const startedAt = clock.boot();
  const { signed, error, skewMs } = await ask(baseUrl, options, signal);
  const found = {
    baseUrl,
    ms: Math.round(clock.boot() - startedAt),
    signed,
    ...(skewMs === undefined ? {} : { skewMs }),
  };
  if (error === undefined) return found;
  const more = await lookCloser(baseUrl, error, options, signal);
  const skew = skewMs ?? (more.certificate?.dateMs === undefined ? undefined : more.certificate.dateMs - clock.wall());
  return { ...found, error, ...more, ...(skew === undefined ? {} : { skewMs: skew }) };
}

interface Asked {
  readonly signed: boolean;
  readonly error?: AgentError;
  readonly skewMs?: number | undefined;
}

async function ask(baseUrl: string, options: ProbeOptions, signal: AbortSignal): Promise<Asked> {
  const { secrets, config } = options;
  const keyed = "publicKey" in secrets && (config.mode === "gateway" || secrets.merchantPrivateKey !== undefined);
  if (!keyed) return { signed: false, ...(await reach(baseUrl, options, signal)) };
  // Looked for below, where what it says is kept.
  const findPortal = () => Promise.resolve(undefined);
  const client = createWechatPay({ ...options, findPortal, secrets, config: { ...config, baseUrls: [baseUrl] } });
  try {
    const { skewMs } = await client.echo({ signal });
    return { signed: true, skewMs };
  } catch (error) {
    signal.throwIfAborted();
    return { signed: true, error: asAgentError(error), skewMs: client.status().skewMs };
  } finally {
    await client.close();
  }
}

/** The same request without a signature: whatever HTTP answers, the way is good. */
async function reach(
  baseUrl: string,
  { config, secrets, clock, userAgent }: ProbeOptions,
  signal: AbortSignal,
): Promise<Omit<Asked, "signed">> {
  const { transport, url } = createTarget(baseUrl, { config, secrets, clock });
  const headers = {
    accept: "application/json",
    "accept-encoding": "identity",
    "content-type": "application/json",
    "user-agent": userAgent,
    "wechatpay-serial": config.publicKeyId,
  };
  const request = { path: joined(url, ECHO_PATH), headers, body: JSON.stringify({ echo_message: "facepay-agent" }) };
  try {
    const {
      status,
      headers: said,
      body,
    } = await withTimeout(config.attemptTimeoutMs, clock, signal, (deadline) => transport.post(request, deadline));
    const date = dateMs(said);
    const skewMs = date === undefined ? undefined : date - clock.wall();
    const error = isSuccess(status)
      ? new AgentError(isHtml(said, body) ? "PAY_CAPTIVE_PORTAL" : "PAY_UNSIGNED.probe", {})
      : classifyStatus({
          status,
          headers: said,
          body,
          wallMs: clock.wall(),
          secrets: new SecretSearch(sentSecrets(secrets)),
        });
    return { error, skewMs };
  } catch (error) {
    signal.throwIfAborted();
    return { error: classifyTransportError(error, { clockSuspect: false, ownAuthority: secrets.ca !== undefined }) };
  } finally {
    await transport.close();
  }
}

/** Who answered in the host's place, if anyone did. */
async function lookCloser(
  baseUrl: string,
  error: AgentError,
  { config, secrets, clock, portalPort }: ProbeOptions,
  signal: AbortSignal,
): Promise<Pick<Probe, "certificate" | "portal">> {
  const url = new URL(baseUrl);
  const proxy = isExempt(url, config.noProxy) ? undefined : config.proxy;
  const { code, context } = error;
  const byTls = /^PAY_TLS_/.test(code) || (code === "CLOCK_WRONG" && context.status === undefined);
  const portalLike = (byTls || isHiddenBy(error)) && proxy === undefined && hasPort80(url);
  const look = async (deadline: AbortSignal) => {
    const [certificate, portal] = await Promise.all([
      byTls ? inspectTls({ url, ca: secrets.ca, proxy, proxyAuth: secrets.proxyAuth?.trim() }, deadline) : undefined,
      portalLike ? findCaptivePortal(url.hostname, deadline, portalPort) : undefined,
    ]);
    return { ...(certificate === undefined ? {} : { certificate }), ...(portal === undefined ? {} : { portal }) };
  };
  return await withTimeout(INSPECT_MS, clock, signal, look);
}
