import { createHash, createPublicKey, randomBytes } from "node:crypto";
import { cp, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../agent/clock.ts";
import { systemEntropy } from "../../agent/entropy.ts";
import { silentLog } from "../../agent/log/log.ts";
import type { Certificate } from "../../agent/simulation/certificates.ts";
import type { PayService } from "../../agent/simulation/pay-service.ts";
import { createPlayground, type Playground } from "../../agent/simulation/playground.ts";
import { startWechatPayServer } from "../../agent/simulation/wechatpay-server.ts";
import { createWechatPay, type WechatPayOptions } from "../../agent/wechatpay/client.ts";
import type { WechatPaySecrets } from "../../agent/wechatpay/secrets.ts";
import type { WechatPay } from "../../agent/wechatpay/wechatpay.ts";
import { AgentProcess } from "./agent-process.ts";
import { type TomlSections, tomlOf } from "./config-fixture.ts";

export type Line = Readonly<Record<string, unknown>>;

export interface GatewayAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** What a terminal shows of itself. */
export interface Terminal {
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
}

export const AUTHINFO = "/v3/offlineface/authinfo";
export const ECHO = "/v3/security/echo";
export const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
export const pairOf = ({ certPem, privateKeyPem }: Certificate): Terminal => ({ cert: certPem, key: privateKeyPem });

/** Making keys costs a second of computing: one set serves all rigs of a test file. */
let factory: Promise<Playground> | undefined;

async function makeFactory(): Promise<Playground> {
  return await createPlayground(await mkdtemp(path.join(os.tmpdir(), "facepay-factory-")));
}

/** To be called once, when a test file has ended. */
export async function removeFactory(): Promise<void> {
  const playground = await factory;
  if (playground) await rm(playground.directory, { recursive: true, force: true });
}

/** A gateway as a process of its own, with a register and a simulated WeChat Pay behind it, in one directory. */
export class GatewayRig implements AsyncDisposable {
  readonly directory: string;
  readonly playground: Playground;
  readonly pay: PayService;
  readonly #others: PayService[] = [];
  readonly #agents: https.Agent[] = [];
  process!: AgentProcess;
  port = 0;
  healthPort = 0;

  private constructor(directory: string, playground: Playground, pay: PayService) {
    this.directory = directory;
    this.playground = playground;
    this.pay = pay;
  }

  /** Everything but the gateway's process. WeChat Pay answers for every identity. */
  static async create(): Promise<GatewayRig> {
    const directory = await mkdtemp(path.join(os.tmpdir(), "facepay-gateway-"));
    factory ??= makeFactory();
    const playground = await factory;
    await cp(playground.directory, path.join(directory, "playground"), { recursive: true });
    const pay = await startWechatPayServer({ ...playground.wechatPayOptions, identity: {} });
    const rig = new GatewayRig(directory, playground, pay);
    const { server, ca } = playground;
    await rig.write("server.pem", server.certPem);
    await rig.write("server.key", server.privateKeyPem);
    await rig.write("terminal-ca.pem", ca.certPem);
    await rig.writeRegister([rig.line()]);
    return rig;
  }

  within(name: string): string {
    return path.join(this.directory, name);
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** As a script should: under another name, then in its place. */
  async write(name: string, text: string, mode = 0o600): Promise<void> {
    await writeFile(this.within(`${name}.new`), text, { mode });
    await rename(this.within(`${name}.new`), this.within(name));
  }

  async writeRegister(lines: readonly Line[]): Promise<void> {
    await this.write("devices.jsonl", `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`);
  }

  /** The playground's terminal in the register. */
  line(changes: Line = {}): Line {
    const { deviceId, subMchid, subAppid, organizationId } = this.playground.identity;
    const own = { device_id: deviceId, sub_mchid: subMchid, sub_appid: subAppid, organization_id: organizationId };
    return { ...own, certificate_cn: deviceId, ...changes };
  }

  async secondPay(): Promise<PayService> {
    const service = await startWechatPayServer({ ...this.playground.wechatPayOptions, identity: {} });
    this.#others.push(service);
    return service;
  }

  async configure(changes: TomlSections = {}, urls: readonly string[] = [this.pay.url]): Promise<void> {
    const { identity, merchant, platform } = this.playground;
    const sections: TomlSections = {
      identity: { sp_mchid: `"${identity.spMchid}"`, sp_appid: `"${identity.spAppid}"` },
      listen: { host: '"127.0.0.1"', port: `${this.port}`, cert_file: '"server.pem"', key_file: '"server.key"' },
      devices: { register_file: '"devices.jsonl"', ca_file: '"terminal-ca.pem"' },
      wechatpay: {
        base_urls: JSON.stringify(urls),
        ca_file: '"playground/ca.pem"',
        public_key_id: `"${platform.keyId}"`,
        public_key_file: '"playground/wechatpay-public-key.pem"',
        merchant_serial_no: `"${merchant.serialNo}"`,
        merchant_private_key_file: '"playground/merchant-key.pem"',
      },
      health: { port: `${this.healthPort}` },
    };
    await this.write("gateway.toml", tomlOf(sections, changes));
  }

  /** Starts the gateway and waits until it serves. Ports are found free and may be gone a moment later: then others. */
  async start(changes: TomlSections = {}, urls?: readonly string[]): Promise<void> {
    for (let tries = 0; ; tries++) {
      [this.port, this.healthPort] = [await freePort(), await freePort()];
      await this.configure(changes, urls);
      this.#launch();
      const serving = await this.#serving();
      if (serving) return;
      if (tries > 4) throw new Error(`the gateway does not start: ${this.process.stderr}`);
    }
  }

  /** The same process once more, in its old place. */
  async restart(): Promise<void> {
    this.#launch();
    if (!(await this.#serving())) throw new Error("the gateway's place is taken");
  }

  /** A second gateway with the same keys, register and WeChat Pay: what stands behind a load balancer. */
  async twin(changes: TomlSections = {}): Promise<GatewayRig> {
    const directory = await mkdtemp(path.join(os.tmpdir(), "facepay-gateway-"));
    await cp(this.directory, directory, { recursive: true });
    const twin = new GatewayRig(directory, this.playground, this.pay);
    await twin.start(changes);
    return twin;
  }

  #launch(): void {
    this.process = new AgentProcess(["gateway", "--config", this.within("gateway.toml"), "--lang", "en"]);
  }

  async #serving(): Promise<boolean> {
    const { process } = this;
    for (let waited = 0; waited < 15_000; waited += 10) {
      if (process.exit !== undefined) {
        if (process.stderr.includes("EADDRINUSE")) return false;
        throw new Error(`the gateway ended: ${process.stderr}`);
      }
      if (process.stderr.includes("GATEWAY_SERVING")) return true;
      await delay(10);
    }
    throw new Error(`the gateway does not serve: ${process.stderr}`);
  }

  /** The body that the terminal of `line` sends. */
  body(changes: Line = {}): Line {
    const { spAppid: sp_appid } = this.playground.identity;
    const { device_id, sub_mchid, sub_appid, organization_id } = this.line();
    const raw_data = randomBytes(503).toString("base64");
    return { sp_appid, sub_appid, sub_mchid, device_id, raw_data, organization_id, ...changes };
  }

  get terminal(): Terminal {
    return pairOf(this.playground.client);
  }

  /** One request; on a connection of its own unless an agent is given. */
  ask(
    wanted: {
      readonly path?: string;
      readonly method?: string;
      readonly body?: Line | string | Buffer;
      readonly headers?: Readonly<Record<string, string | string[]>>;
      readonly terminal?: Terminal;
      readonly agent?: https.Agent;
      readonly port?: number;
    } = {},
  ): Promise<GatewayAnswer> {
    const { path: target = AUTHINFO, method = "POST", body = this.body(), terminal = this.terminal } = wanted;
    const octets = typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const { token, ...tls } = terminal;
    const headers = {
      accept: "application/json",
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(octets)),
      "user-agent": "test",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...wanted.headers,
    };
    const { agent = false, port = this.port } = wanted;
    const ca = this.playground.ca.certPem;
    return new Promise((resolve, reject) => {
      const options = { host: "127.0.0.1", port, path: target, method, headers, ca, agent, ...(agent ? {} : tls) };
      const request = https.request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", reject);
        response.once("end", () => {
          const { statusCode: status = 0, headers: got, rawHeaders } = response;
          resolve({ status, headers: got, rawHeaders, body: Buffer.concat(chunks) });
        });
      });
      request.once("error", reject);
      request.end(octets);
    });
  }

  /** The agent's own client, as a terminal uses it. */
  client(
    baseUrls: readonly string[],
    secrets: Partial<WechatPaySecrets>,
    options: Pick<WechatPayOptions, "onOutcome"> = {},
  ): WechatPay {
    const { identity, ca, platform, platformPublicKeyPem } = this.playground;
    return createWechatPay({
      config: {
        mode: "gateway",
        baseUrls,
        noProxy: "",
        attemptTimeoutMs: 10_000,
        connectTimeoutMs: 6_000,
        publicKeyId: platform.keyId,
        publicKeyFile: "",
      },
      identity,
      secrets: { publicKey: createPublicKey(platformPublicKeyPem), ca: ca.certPem, ...secrets },
      clock: systemClock(),
      entropy: systemEntropy,
      log: silentLog,
      userAgent: "facepay-agent/test",
      ...options,
    });
  }

  /** One connection that is kept. */
  keptConnection({ cert, key }: Terminal = this.terminal): https.Agent {
    const ca = this.playground.ca.certPem;
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca, ...(cert && key ? { cert, key } : {}) });
    this.#agents.push(agent);
    return agent;
  }

  async health(target: string): Promise<{ readonly status: number; readonly text: string }> {
    return await new Promise((resolve, reject) => {
      const request = http.get({ host: "127.0.0.1", port: this.healthPort, path: target, agent: false }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
        response.once("error", reject);
      });
      request.once("error", reject);
    });
  }

  /** Every sample of one metric, by its labels as they are written. */
  async metric(name: string): Promise<Record<string, number>> {
    const { text } = await this.health("/metrics");
    const samples = text.matchAll(new RegExp(`^facepay_gateway_${name}(?:\\{(.*)\\})? (\\S+)$`, "gm"));
    return Object.fromEntries([...samples].map(([, labels = "", value]) => [labels, Number(value)]));
  }

  async until<T>(what: string, probe: () => Promise<T | false | undefined>, withinMs = 10_000): Promise<T> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const found = await probe();
      if (found !== false && found !== undefined) return found;
      if (performance.now() > deadline) throw new Error(`never: ${what}; log:\n${this.process.stderr.slice(-2_000)}`);
      await delay(20);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents) agent.destroy();
    await this.process?.[Symbol.asyncDispose]();
    await Promise.all([this.pay, ...this.#others].map((service) => service.stop()));
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** `code` of a refusal. */
export const codeOf = ({ body }: GatewayAnswer): string => (JSON.parse(body.toString()) as { code: string }).code;

export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
