import { createPrivateKey, createPublicKey } from "node:crypto";
import { type AddressInfo, createServer } from "node:net";
import { type Clock, systemClock } from "../../agent/clock.ts";
import type { Identity, WechatPayConfig } from "../../agent/config/config.ts";
import { systemEntropy } from "../../agent/entropy.ts";
import { type AgentError, isAgentError } from "../../agent/errors.ts";
import { silentLog } from "../../agent/log/log.ts";
import {
  type Authority,
  type Certificate,
  createAuthority,
  createKeyPair,
} from "../../agent/simulation/certificates.ts";
import { type GatewayServerOptions, startGatewayServer } from "../../agent/simulation/gateway-server.ts";
import type { PayService } from "../../agent/simulation/pay-service.ts";
import { startWechatPayServer } from "../../agent/simulation/wechatpay-server.ts";
import { createWechatPay, type WechatPayOptions } from "../../agent/wechatpay/client.ts";
import type { WechatPaySecrets } from "../../agent/wechatpay/secrets.ts";
import type { AuthinfoAnswer, WechatPay } from "../../agent/wechatpay/wechatpay.ts";
import { RawPeer } from "./raw-peer.ts";

export const identity: Identity = {
  spMchid: "1900000100",
  spAppid: "wxd678efh567hg6787",
  subMchid: "1900000109",
  organizationId: "O004ABC8FZ2023031514461460894a",
};
export const DEVICE_ID = "LTA0P18937F130532000001";

const KEY_ID = "PUB_KEY_ID_0000000000000024101100397200000006";

export interface ClientOverrides {
  readonly mode?: "gateway" | "direct";
  readonly config?: Partial<WechatPayConfig>;
  readonly secrets?: Partial<WechatPaySecrets>;
  readonly options?: Partial<WechatPayOptions>;
  /** Without the rig's own authority. */
  readonly withoutCa?: boolean;
}

/** Keys, certificates and servers for one test file; `stop` ends all that was started since the last time. */
export class WechatPayRig {
  readonly authority: Authority;
  readonly publicKeyPem: string;
  readonly #platform: { readonly keyId: string; readonly privateKeyPem: string };
  readonly #merchant: Certificate;
  readonly #tls: Certificate;
  readonly #cleanups: (() => Promise<void>)[] = [];

  private constructor(
    authority: Authority,
    tls: Certificate,
    merchant: Certificate,
    platform: { publicKeyPem: string; privateKeyPem: string },
  ) {
    this.authority = authority;
    this.#tls = tls;
    this.#merchant = merchant;
    this.#platform = { keyId: KEY_ID, privateKeyPem: platform.privateKeyPem };
    this.publicKeyPem = platform.publicKeyPem;
  }

  static async create(): Promise<WechatPayRig> {
    const authority = await createAuthority({ now: systemClock().wall() });
    const [tls, merchant, platform] = await Promise.all([
      authority.issueServer(),
      authority.issueClient({ commonName: identity.spMchid }),
      createKeyPair(),
    ]);
    return new WechatPayRig(authority, tls, merchant, platform);
  }

  async direct(tls: { certPem: string; privateKeyPem: string } = this.#tls): Promise<PayService> {
    const { serialNo, publicKeyPem } = this.#merchant;
    return this.#started(
      await startWechatPayServer({
        tls: { cert: tls.certPem, key: tls.privateKeyPem },
        merchant: { mchid: identity.spMchid, serialNo, publicKeyPem },
        platform: this.#platform,
        identity,
      }),
    );
  }

  async gateway(options: Partial<GatewayServerOptions> = {}): Promise<PayService> {
    const tls = { cert: this.#tls.certPem, key: this.#tls.privateKeyPem };
    return this.#started(await startGatewayServer({ tls, platform: this.#platform, identity, ...options }));
  }

  /** One that says octet for octet what the test wants said. */
  async raw(): Promise<RawPeer> {
    const peer = await RawPeer.start({ cert: this.#tls.certPem, key: this.#tls.privateKeyPem }, this.#platform);
    this.defer(() => peer.stop());
    return peer;
  }

  /** A URL where nobody listens. */
  async refusing(): Promise<string> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return `https://127.0.0.1:${port}`;
  }

  /** A URL where the connection stands but no TLS handshake is ever answered. */
  async silent(): Promise<string> {
    const server = createServer((socket) => socket.on("error", () => socket.destroy()).resume());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.defer(() => new Promise((resolve) => server.close(() => resolve())));
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  client(baseUrls: readonly string[], overrides: ClientOverrides = {}): WechatPay {
    const mode = overrides.mode ?? "direct";
    const client = createWechatPay({
      config: {
        mode,
        baseUrls,
        noProxy: "",
        attemptTimeoutMs: 10_000,
        connectTimeoutMs: 6_000,
        publicKeyId: KEY_ID,
        publicKeyFile: "",
        ...(mode === "direct" ? { merchantSerialNo: this.#merchant.serialNo } : {}),
        ...overrides.config,
      },
      identity,
      secrets: {
        publicKey: createPublicKey(this.publicKeyPem),
        ...(mode === "direct" ? { merchantPrivateKey: createPrivateKey(this.#merchant.privateKeyPem) } : {}),
        ...(overrides.withoutCa ? {} : { ca: this.authority.certPem }),
        ...overrides.secrets,
      },
      clock: systemClock(),
      entropy: systemEntropy,
      log: silentLog,
      userAgent: "facepay-agent/test",
      ...overrides.options,
    });
    this.defer(() => client.close());
    return client;
  }

  defer(cleanup: () => Promise<void>): void {
    this.#cleanups.push(cleanup);
  }

  async stop(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0).reverse()) await cleanup();
  }

  #started(service: PayService): PayService {
    this.defer(() => service.stop());
    return service;
  }
}

interface Wanted {
  readonly planned?: boolean;
  readonly newestSignedAtS?: number;
  readonly signal?: AbortSignal;
  readonly rawData?: string;
  readonly held?: string;
}

/** One attempt with a raw_data of its own. */
export function request(client: WechatPay, wanted: Wanted = {}): Promise<AuthinfoAnswer> {
  const rawData = wanted.rawData ?? systemEntropy.bytes(300).toString("base64");
  return client.requestAuthinfo(
    { deviceId: DEVICE_ID, rawData, ...(wanted.held === undefined ? {} : { held: wanted.held }) },
    {
      planned: wanted.planned ?? true,
      newestSignedAtS: wanted.newestSignedAtS ?? 0,
      signal: wanted.signal ?? new AbortController().signal,
    },
  );
}

/** The error an attempt ends with. */
export async function failure(attempt: Promise<unknown>): Promise<AgentError> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isAgentError(error)) throw error ?? new Error("the attempt did not fail");
  return error;
}

/** A clock whose wall can be set apart from the real one. */
export function shiftedClock(): Clock & { offsetMs: number } {
  const real = systemClock();
  const clock = {
    offsetMs: 0,
    wall: () => real.wall() + clock.offsetMs,
    boot: () => real.boot(),
    sleep: (ms: number, signal?: AbortSignal) => real.sleep(ms, signal),
    timer: (ms: number, act: () => void) => real.timer(ms, act),
  };
  return clock;
}
