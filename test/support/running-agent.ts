import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startGatewayServer } from "../../agent/simulation/gateway-server.ts";
import type { PayService } from "../../agent/simulation/pay-service.ts";
import { createPlayground, type Playground } from "../../agent/simulation/playground.ts";
import { type ConfigSettings, playgroundConfig } from "../../agent/simulation/playground-config.ts";
import { startWechatPayServer } from "../../agent/simulation/wechatpay-server.ts";
import { openPty, type Pty } from "../../drivers/simulator/pty.ts";
import { SimulatedBridge } from "../../drivers/simulator/simulated-bridge.ts";
import { AgentProcess, type Exit, type ProgramOptions } from "./agent-process.ts";
import { type Answer, ask } from "./api-fixture.ts";
import { Canaries } from "./canaries.ts";

/** What the simulated bridge and the simulated WeChat Pay draw for one rawdata and one authinfo. */
const RAWDATA_OCTETS = 503;
const AUTHINFO_OCTETS = 750;
const POLL_MS = 10;

type Overrides = NonNullable<ConfigSettings["overrides"]>;

export interface RigOptions {
  /** How the bridge is reached: by a unix socket unless told. */
  readonly line?: "serial" | "socket";
  readonly mode?: "direct" | "gateway";
  /** Laid over the configuration, section by section. */
  readonly config?: Overrides;
  /** WeChat Pay answers whoever asks, not only the playground's merchant and device. */
  readonly anyIdentity?: boolean;
  /** The peers are there from the start unless told. */
  readonly unplugged?: boolean;
  readonly payDown?: boolean;
}

export interface StartOptions extends ProgramOptions {
  /** Instead of `run --config <the rig's file>`. */
  readonly args?: readonly string[];
}

export interface ServedAuthinfo {
  readonly authinfo: string;
  readonly device_id: string;
  readonly state: string;
  readonly generation: number;
  readonly obtained_at: string;
  readonly expires_at: string;
  readonly remaining_s: number;
  readonly expiry_source: string;
  readonly clock_trusted: boolean;
  readonly persisted: boolean;
}

/** The parts of the status document that the stories look at. */
export interface StatusDocument {
  readonly config: { readonly hash: string; readonly source: string } | null;
  readonly boot_id: string;
  readonly authinfo: Readonly<Record<string, unknown>> & { readonly state: string; readonly generation?: number };
  readonly bridge: {
    readonly state: string;
    readonly device_id: string | null;
    readonly opens: Readonly<Record<string, number>>;
  } | null;
  readonly wechatpay: { readonly base_urls: readonly Readonly<Record<string, unknown>>[] } | null;
  readonly store: Readonly<Record<string, unknown>> | null;
  readonly clock: Readonly<Record<string, unknown>>;
  readonly last_error: { readonly code: string; readonly since: string; readonly remedy: string | null } | null;
  readonly next_attempt: { readonly at: string; readonly why: string } | null;
  readonly state_changes: readonly { readonly at: string; readonly from: string; readonly to: string }[];
  readonly warnings: readonly { readonly code: string; readonly since: string; readonly detail?: string }[];
}

/** For what comes as soon as the machine has time for it. */
const PATIENCE_MS = 120_000;

/** Making keys costs a second of computing: one set serves all rigs of a test file, each with its own directory. */
let factory: Promise<Playground> | undefined;

async function makeFactory(): Promise<Playground> {
  return await createPlayground(await mkdtemp(path.join(os.tmpdir(), "facepay-factory-")));
}

/** To be called once, when a test file has ended. */
export async function removeFactory(): Promise<void> {
  const playground = await factory;
  if (playground) await rm(playground.directory, { recursive: true, force: true });
}

/**
 * One terminal in a temporary directory, with its bridge and its WeChat Pay, and the agent as a process of its own. All that
 * the agent lets out is kept; when the rig closes, not a piece of any secret may be in it.
 */
export class Rig implements AsyncDisposable {
  readonly directory: string;
  readonly bridge: SimulatedBridge;
  readonly canaries = new Canaries();
  readonly playground: Playground;
  readonly #options: RigOptions;
  readonly #agents: AgentProcess[] = [];
  /** By source, what others than the cashier app may see. */
  readonly #seen: { where: string; text: string }[] = [];
  readonly #streams = new Set<EventReader>();
  readonly #connections = new Set<net.Socket>();
  #pty: Pty | undefined;
  #listener: net.Server | undefined;
  #pay: PayService | undefined;
  #port = 0;

  constructor(directory: string, playground: Playground, options: RigOptions) {
    this.directory = directory;
    this.playground = playground;
    this.#options = options;
    const { deviceId } = playground.identity;
    this.bridge = new SimulatedBridge({ deviceId, entropy: this.canaries.entropy("raw_data", RAWDATA_OCTETS) });
    this.canaries.addKey("merchant key", playground.merchant.privateKeyPem);
    this.canaries.addKey("client key", playground.client.privateKeyPem);
    this.canaries.add("bearer token", playground.bearerToken);
  }

  within(name: string): string {
    return path.join(this.directory, name);
  }

  get configFile(): string {
    return this.within("config.toml");
  }

  get apiSocket(): string {
    return this.within("run/api.sock");
  }

  get adminSocket(): string {
    return this.within("run/admin.sock");
  }

  get stateDirectory(): string {
    return this.within("state");
  }

  get pay(): PayService {
    if (this.#pay === undefined) throw new Error("WeChat Pay is down in this rig");
    return this.#pay;
  }

  /** The process started last. */
  get agent(): AgentProcess {
    const agent = this.#agents.at(-1);
    if (agent === undefined) throw new Error("no agent has been started in this rig");
    return agent;
  }

  // The peers.

  async plug(): Promise<void> {
    if (this.#options.line === "serial") {
      this.#pty = await openPty({ link: this.within("ttyFACEPAY") });
      this.bridge.attach(this.#pty.stream);
      return;
    }
    const listener = net.createServer((socket) => {
      this.#connections.add(socket);
      socket.once("close", () => this.#connections.delete(socket));
      this.bridge.attach(socket);
    });
    await new Promise<void>((resolve) => listener.listen(this.within("bridge.sock"), resolve));
    this.#listener = listener;
  }

  async unplug(): Promise<void> {
    this.#pty?.unplug();
    this.#pty = undefined;
    const listener = this.#listener;
    this.#listener = undefined;
    if (listener === undefined) return;
    const closed = new Promise((resolve) => listener.close(resolve));
    for (const socket of this.#connections) socket.destroy();
    await closed;
  }

  /** The same port every time, so that the configuration stays true. */
  async payUp(): Promise<void> {
    const { wechatPayOptions, gatewayOptions } = this.playground;
    const { mode, anyIdentity } = this.#options;
    const entropy = this.canaries.entropy("authinfo", AUTHINFO_OCTETS);
    const common = { port: this.#port, entropy, ...(anyIdentity ? { identity: {} } : {}) };
    this.#pay =
      mode === "gateway"
        ? await startGatewayServer({ ...gatewayOptions, ...common })
        : await startWechatPayServer({ ...wechatPayOptions, ...common });
    this.#port = this.#pay.port;
  }

  async payDown(): Promise<void> {
    await this.#pay?.stop();
    this.#pay = undefined;
  }

  // The agent.

  /** Writes config.toml with the rig's own overrides and, over them, these. */
  async configure(more: Overrides = {}): Promise<void> {
    const { identity, platform, merchant } = this.playground;
    const { line = "socket", mode = "direct", config = {} } = this.#options;
    const overrides: Record<string, Overrides[string]> = { ...config };
    for (const [section, keys] of Object.entries(more)) overrides[section] = { ...overrides[section], ...keys };
    const text = playgroundConfig(
      { identity, publicKeyId: platform.keyId, merchantSerialNo: merchant.serialNo },
      {
        baseUrls: [`https://127.0.0.1:${this.#port}`],
        driver: line === "serial" ? { type: "serial", path: "ttyFACEPAY" } : { type: "socket", path: "bridge.sock" },
        mode,
        overrides,
      },
    );
    await writeFile(this.configFile, text);
  }

  /** Starts the agent and returns at once. */
  start(options: StartOptions = {}): AgentProcess {
    const { args = ["run", "--config", this.configFile], ...program } = options;
    const agent = new AgentProcess(args, program);
    this.#agents.push(agent);
    return agent;
  }

  /** Starts the agent and waits until an authinfo is served and safe on the disk. */
  async serve(options: StartOptions = {}): Promise<ServedAuthinfo> {
    this.start(options);
    return await this.served(({ state, persisted }) => state === "fresh" && persisted);
  }

  async restart(options: StartOptions = {}): Promise<void> {
    await this.agent.crash();
    this.start(options);
  }

  // What is seen from outside.

  /** One request. Whatever comes back is looked through for secrets, except where the contract hands one out. */
  async ask(
    socket: "api" | "admin",
    method: string,
    target: string,
    options: { readonly body?: object; readonly headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const file = socket === "api" ? this.apiSocket : this.adminSocket;
    const answer = await ask(file, method, target, options);
    const handsOut = socket === "api" && target.startsWith("/v1/authinfo") && answer.status === 200;
    if (!handsOut && target !== "/v1/sdk/call") this.#seen.push({ where: `${method} ${target}`, text: answer.text });
    return answer;
  }

  /** `GET /v1/authinfo`. */
  get(query = ""): Promise<Answer> {
    return this.ask("api", "GET", `/v1/authinfo${query}`);
  }

  async status(): Promise<StatusDocument> {
    const { body } = await this.ask("admin", "GET", "/v1/status");
    return body as unknown as StatusDocument;
  }

  async metrics(): Promise<string> {
    return (await this.ask("admin", "GET", "/metrics")).text;
  }

  /** Every sample of one metric, by its labels as they are written. */
  async metric(name: string): Promise<Record<string, number>> {
    const samples = (await this.metrics()).matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, "gm"));
    return Object.fromEntries([...samples].map(([, labels = "", value]) => [labels, Number(value)]));
  }

  refresh(): Promise<Answer> {
    return this.ask("admin", "POST", "/v1/authinfo/refresh");
  }

  /** The very first answer of a started agent: refused connections do not count, a 503 does. */
  async firstAnswer(): Promise<Answer> {
    return await this.until("the first answer on api.sock", async () => await this.get());
  }

  /** Waits until an authinfo is served that `isIt`; returns it. */
  async served(isIt: (served: ServedAuthinfo) => boolean = () => true, withinMs?: number): Promise<ServedAuthinfo> {
    return await this.until(
      "the authinfo that is waited for is served",
      async () => {
        const { status, body } = await this.get();
        const served = body as unknown as ServedAuthinfo;
        return status === 200 && isIt(served) && served;
      },
      withinMs,
    );
  }

  /** Waits until the status is as wanted; returns it. */
  async statusWhere(
    what: string,
    isIt: (status: StatusDocument) => boolean,
    withinMs = PATIENCE_MS,
  ): Promise<StatusDocument> {
    return await this.until(
      what,
      async () => {
        const status = await this.status();
        return isIt(status) && status;
      },
      withinMs,
    );
  }

  /** Asks again and again until the answer is something; an error counts as nothing. Fails after `withinMs` with what it saw last. */
  async until<T>(what: string, probe: () => Promise<T | false | undefined>, withinMs = PATIENCE_MS): Promise<T> {
    const deadline = performance.now() + withinMs;
    for (let last: unknown; ; ) {
      try {
        const found = await probe();
        if (found !== false && found !== undefined) return found;
      } catch (error) {
        last = error;
      }
      if (performance.now() > deadline) throw new Error(`never: ${what}; ${await this.#circumstances(last)}`);
      await delay(POLL_MS);
    }
  }

  async #circumstances(last: unknown): Promise<string> {
    const { exit, stderr } = this.#agents.at(-1) ?? {};
    const status = exit === undefined ? await this.status().catch(String) : exit;
    return `last error ${String(last)}; agent ${JSON.stringify(status)}; log:\n${stderr?.slice(-3_000)}`;
  }

  /** Subscribes to the events of the cashier app. */
  events(query = ""): EventReader {
    const reader = new EventReader(this.apiSocket, `/v1/authinfo/events${query}`);
    this.#streams.add(reader);
    return reader;
  }

  /** Notes another place where no secret may be. */
  saw(where: string, text: string): void {
    this.#seen.push({ where, text });
  }

  /** Where pieces of which secrets have come out, in words. */
  leaks(): string[] {
    const outputs = this.#agents.flatMap(({ pid, stdout, stderr }) => [
      { where: `stdout of ${pid}`, text: stdout },
      { where: `stderr of ${pid}`, text: stderr },
    ]);
    return [...this.#seen, ...outputs].flatMap(({ where, text }) =>
      this.canaries.in(text).map((name) => `${where}: a piece of the ${name}`),
    );
  }

  /** Ends the agent the polite way, having looked at what it shows of itself. */
  async stop(): Promise<Exit> {
    this.saw("argv and environ", this.agent.publicFace());
    return await this.agent.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stream of this.#streams) stream.close();
    for (const agent of this.#agents) {
      this.saw(`argv and environ of ${agent.pid}`, agent.publicFace());
      await agent[Symbol.asyncDispose]();
    }
    this.bridge.close();
    await this.unplug();
    await this.payDown();
    const leaks = this.leaks();
    await rm(this.directory, { recursive: true, force: true });
    if (leaks.length > 0) throw new Error(`secrets came out: ${leaks.join("; ")}`);
    const { violations } = this.bridge;
    if (violations.length > 0) throw new Error(`the agent broke the bridge's protocol: ${violations.join("; ")}`);
  }
}

export async function openRig(options: RigOptions = {}): Promise<Rig> {
  factory ??= makeFactory();
  const playground = await factory;
  const directory = await mkdtemp(path.join(os.tmpdir(), "facepay-rig-"));
  await cp(playground.directory, directory, { recursive: true });
  const rig = new Rig(directory, playground, options);
  try {
    await rig.payUp();
    await rig.configure();
    if (options.payDown) await rig.payDown();
    if (!options.unplugged) await rig.plug();
  } catch (error) {
    await rig[Symbol.asyncDispose]();
    throw error;
  }
  return rig;
}

export interface ServerSentEvent {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** A subscriber of Server-Sent Events (HTML standard 9.2), as simple as a cashier app may be. */
class EventReader {
  readonly events: ServerSentEvent[] = [];
  readonly #request: http.ClientRequest;
  #buffer = "";

  constructor(socketPath: string, target: string) {
    this.#request = http.get({ socketPath, path: target, agent: false }, (response) => {
      response.setEncoding("utf8").on("data", (chunk: string) => this.#take(chunk));
      // The agent is killed in many a story: the end of the stream is no error of the reader.
      response.on("error", () => this.close());
    });
    this.#request.on("error", () => this.close());
  }

  close(): void {
    this.#request.destroy();
  }

  #take(chunk: string): void {
    this.#buffer += chunk;
    for (let end = this.#buffer.indexOf("\n\n"); end !== -1; end = this.#buffer.indexOf("\n\n")) {
      const fields = this.#buffer.slice(0, end).split("\n");
      this.#buffer = this.#buffer.slice(end + 2);
      const value = (name: string) => fields.find((field) => field.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = value("data");
      if (data !== undefined) this.events.push({ event: value("event") ?? "message", data: JSON.parse(data) });
    }
  }
}
