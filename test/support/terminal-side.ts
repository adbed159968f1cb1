import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { playgroundConfig } from "../../agent/simulation/playground-config.ts";
import { SimulatedBridge } from "../../drivers/simulator/simulated-bridge.ts";
import { AgentProcess } from "./agent-process.ts";
import { type Answer, ask } from "./api-fixture.ts";
import type { GatewayRig, Line, Terminal } from "./gateway-rig.ts";

/** All that is on a terminal in gateway mode, in one directory: nothing else is there for the agent to read. */
export class TerminalSide implements AsyncDisposable {
  readonly directory: string;
  readonly bridge: SimulatedBridge;
  readonly agent: AgentProcess;
  readonly #line: net.Server;

  private constructor(directory: string, bridge: SimulatedBridge, line: net.Server) {
    this.directory = directory;
    this.bridge = bridge;
    this.#line = line;
    this.agent = new AgentProcess(["run", "--config", path.join(directory, "config.toml")]);
  }

  /** @param line the terminal's line in the register; it shows the certificate or the token of `terminal` */
  static async start(rig: GatewayRig, url: string, line: Line, terminal: Terminal): Promise<TerminalSide> {
    const directory = await mkdtemp(path.join(os.tmpdir(), "facepay-terminal-"));
    const { playground } = rig;
    const files: Readonly<Record<string, string | undefined>> = {
      "ca.pem": playground.ca.certPem,
      "wechatpay-public-key.pem": playground.platformPublicKeyPem,
      "terminal-cert.pem": terminal.cert,
      "terminal-key.pem": terminal.key,
      "bearer-token": terminal.token,
    };
    for (const [name, text] of Object.entries(files)) {
      if (text !== undefined) await writeFile(path.join(directory, name), text, { mode: 0o600 });
    }
    await mkdir(path.join(directory, "run"), { mode: 0o700 });
    const identity = { ...playground.identity, subMchid: String(line.sub_mchid), deviceId: String(line.device_id) };
    const known = { identity, publicKeyId: playground.platform.keyId, merchantSerialNo: "" };
    const wechatpay = {
      ...(terminal.cert === undefined ? { client_cert_file: undefined, client_key_file: undefined } : {}),
      ...(terminal.token === undefined ? { bearer_token_file: undefined } : {}),
    };
    const driver = { type: "socket", path: "bridge.sock" } as const;
    const settings = { baseUrls: [url], driver, mode: "gateway", overrides: { wechatpay } } as const;
    await writeFile(path.join(directory, "config.toml"), playgroundConfig(known, settings));
    const bridge = new SimulatedBridge({ deviceId: identity.deviceId });
    const server = net.createServer((socket) => bridge.attach(socket));
    await new Promise<void>((resolve) => server.listen(path.join(directory, "bridge.sock"), resolve));
    return new TerminalSide(directory, bridge, server);
  }

  ask(socket: "api" | "admin", method: string, target: string, body?: object): Promise<Answer> {
    return ask(path.join(this.directory, "run", `${socket}.sock`), method, target, body === undefined ? {} : { body });
  }

  /** Waits until an authinfo of at least this generation is served. */
  async served(generation = 1): Promise<Readonly<Record<string, unknown>>> {
    for (let waited = 0; waited < 15_000; waited += 20) {
      const answer = await this.ask("api", "GET", "/v1/authinfo").catch(() => undefined);
      if (answer?.status === 200 && Number(answer.body.generation) >= generation) return answer.body;
      await delay(20);
    }
    throw new Error(`no authinfo of generation ${generation}; log:\n${this.agent.stderr.slice(-2_000)}`);
  }

  /** Every regular file on the terminal's side with its content. */
  async files(): Promise<{ readonly name: string; readonly bytes: Buffer }[]> {
    const entries = await readdir(this.directory, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
    return await Promise.all(files.map(async (name) => ({ name, bytes: await readFile(name) })));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent[Symbol.asyncDispose]();
    this.bridge.close();
    await new Promise((resolve) => this.#line.close(resolve));
    await rm(this.directory, { recursive: true, force: true });
  }
}
