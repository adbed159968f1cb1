/**
 * `npm start`: the main job on embedded stand-ins. A simulated bridge on a real pseudo-terminal and a simulated WeChat Pay
 * on loopback HTTPS run in this process; the agent runs in one of its own, exactly as on a terminal.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, openSync } from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { askAgent } from "../agent/commands/admin-client.ts";
import { chooseLanguage, languages, say } from "../agent/language.ts";
import { startGatewayServer } from "../agent/simulation/gateway-server.ts";
import { createPlayground, type Playground } from "../agent/simulation/playground.ts";
import { startWechatPayServer } from "../agent/simulation/wechatpay-server.ts";
import { openPty, type Pty } from "../drivers/simulator/pty.ts";
import { SimulatedBridge } from "../drivers/simulator/simulated-bridge.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const launcher = path.join(root, "scripts", "facepay-agent.js");

function options() {
  try {
    const { values } = parseArgs({ options: { gateway: { type: "boolean" }, lang: { type: "string" } } });
    if (values.lang !== undefined && !languages.some((known) => known === values.lang)) {
      throw new Error(`--lang is one of ${languages.join(", ")}`);
    }
    return values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nusage: npm start -- [--gateway] [--lang zh-CN|en|both]\n`);
    process.exit(64);
  }
}

const { gateway = false, lang } = options();
const language = chooseLanguage(lang, process.env);
const print = (zh: string, en: string) => {
  const lines = language === "both" ? [zh, en] : [say({ zh, en }, language)];
  for (const line of lines) process.stdout.write(`${line}\n`);
};
const clockTime = (rfc3339: string) => new Date(rfc3339).toLocaleTimeString("sv-SE");

/** One short place for this checkout and user, kept from run to run: the second `npm start` serves what the first obtained. */
function demoDirectory(): string {
  const mark = createHash("sha256").update(root).digest("hex").slice(0, 8);
  const directory = path.join(os.tmpdir(), `facepay-demo-${process.getuid?.() ?? 0}-${mark}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const found = lstatSync(directory);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) throw new Error(`${directory} is not ours: remove it`);
  chmodSync(directory, 0o700);
  return directory;
}

/** The simulated peers, each of which can be taken away and brought back. */
class Peers {
  readonly playground: Playground;
  readonly #bridge: SimulatedBridge;
  #pty: Pty | undefined;
  #server: Awaited<ReturnType<typeof startWechatPayServer>> | undefined;
  #port = 0;

  constructor(playground: Playground) {
    this.playground = playground;
    this.#bridge = new SimulatedBridge({ deviceId: playground.identity.deviceId });
  }

  async plug(): Promise<string> {
    this.#pty = await openPty({ link: this.playground.deviceLink });
    this.#bridge.attach(this.#pty.stream);
    return this.#pty.path;
  }

  async serve(): Promise<string> {
    const { wechatPayOptions, gatewayOptions } = this.playground;
    this.#server = gateway
      ? await startGatewayServer({ ...gatewayOptions, port: this.#port })
      : await startWechatPayServer({ ...wechatPayOptions, port: this.#port });
    this.#port = Number(new URL(this.#server.url).port);
    return this.#server.url;
  }

  /** Returns whether the bridge is plugged in now. */
  async toggleBridge(): Promise<boolean> {
    if (this.#pty === undefined) {
      await this.plug();
      return true;
    }
    this.#pty.unplug();
    this.#pty = undefined;
    return false;
  }

  async toggleServer(): Promise<boolean> {
    if (this.#server === undefined) {
      await this.serve();
      return true;
    }
    await this.#server.stop();
    this.#server = undefined;
    return false;
  }

  async close(): Promise<void> {
    this.#bridge.close();
    this.#pty?.unplug();
    await this.#server?.stop();
  }
}

interface Shown {
  readonly state: string;
  readonly generation: number;
}

/** Starts the agent again whenever it dies, as systemd would. */
class Agent {
  readonly #playground: Playground;
  #child: ChildProcess | undefined;
  #stopping = false;

  constructor(playground: Playground) {
    this.#playground = playground;
  }

  start(): void {
    const log = openSync(path.join(this.#playground.directory, "agent.log"), "a", 0o600);
    const child = spawn(process.execPath, [launcher, "run", "--config", this.#playground.configFile], {
      stdio: ["ignore", "ignore", log],
    });
    this.#child = child;
    child.on("exit", async (code, signal) => {
      if (this.#stopping) return;
      if (code !== null && code !== 0) {
        print(
          `服务退出，代码 ${code}，日志见 ${this.#playground.directory}/agent.log`,
          `the agent ended with code ${code}; its log is ${this.#playground.directory}/agent.log`,
        );
        process.exit(1);
      }
      print(`服务被 ${signal} 终止，1 秒后重新启动`, `the agent was ended by ${signal}; starting it again in 1 s`);
      await delay(1_000);
      if (!this.#stopping) this.start();
    });
  }

  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }
}

/** What a cashier app does, and with the same means: the authinfo itself stays unprinted. */
function read(socketPath: string): Promise<{ status: number; body: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(2_000);
    const request = http.get(
      { socketPath, path: "/v1/authinfo", headers: { Host: "localhost" }, signal },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => {
          text += chunk.toString("latin1");
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
        response.on("error", reject);
      },
    );
    request.on("error", reject);
  });
}

/** Tells each step once, and every change after that. */
async function narrate(playground: Playground): Promise<void> {
  let bridge = "";
  let shown: Shown = { state: "", generation: 0 };
  let cause = "";
  let agentSince = "";
  for (;;) {
    await delay(200);
    // An agent that is just starting is looked at again in a moment.
    const asked = await askAgent(playground.adminSocket, "GET", "/v1/status", 2_000).catch(() => undefined);
    if (asked === undefined) continue;
    const status = asked.body as unknown as DemoStatus;
    if (status.started_at !== agentSince) {
      agentSince = status.started_at;
      shown = { state: "", generation: 0 };
    }
    const line = status.bridge?.state ?? "";
    if (line !== bridge && (line === "ready" || bridge === "ready")) {
      if (line === "ready") {
        const { path: device, bridge: name, device_id: deviceId } = status.bridge ?? {};
        print(`已找到硬件桥：${device}（${name}）`, `bridge found: ${device} (${name})`);
        print(`设备SN：${deviceId}`, `device id: ${deviceId}`);
      } else print("硬件桥断开，正在重试", "bridge lost, reopening");
      bridge = line;
    }
    const { state, generation = 0 } = status.authinfo;
    if (state !== shown.state || generation !== shown.generation) {
      const renewed = generation !== shown.generation;
      shown = { state, generation };
      if (generation > 0) await tell(playground, status, renewed);
    }
    const why = status.last_error?.code ?? "";
    if (why !== cause) {
      cause = why;
      const held = ["fresh", "due", "rejected"].includes(state);
      const meanwhile = held ? ["，原凭证照常可用", "; what is held is still served"] : ["", ""];
      if (why) print(`更新失败：${why}，继续重试${meanwhile[0]}`, `refresh failed: ${why}, trying on${meanwhile[1]}`);
    }
  }
}

async function tell(playground: Playground, status: DemoStatus, renewed: boolean): Promise<void> {
  const served = await read(playground.apiSocket).catch(() => undefined);
  if (served === undefined) return;
  const { state, generation, remaining_s: left, persisted, obtained_at: obtainedAt } = served.body;
  if (renewed && String(obtainedAt) < status.started_at) {
    const since = clockTime(String(obtainedAt));
    print(
      `此前（${since}）已获取的刷脸凭证 authinfo 仍有效，直接使用：第 ${generation} 代`,
      `authinfo obtained earlier (${since}) still holds and is served at once: generation ${generation}`,
    );
  } else if (renewed) {
    const kept = persisted ? ["，已写入磁盘", ", kept on disk"] : ["", ""];
    print(
      `已获取刷脸凭证 authinfo：第 ${generation} 代${kept[0]}`,
      `authinfo obtained: generation ${generation}${kept[1]}`,
    );
  }
  if (served.status === 200) {
    print(
      `收银程序可读取：GET /v1/authinfo -> 200 ${state}，第 ${generation} 代，剩余 ${left} 秒`,
      `served: GET /v1/authinfo -> 200 ${state}, generation ${generation}, ${left} s left`,
    );
  } else print(`GET /v1/authinfo -> ${served.status}`, `served: GET /v1/authinfo -> ${served.status}`);
  const at = status.next_attempt?.at;
  if (at && state === "fresh") print(`下次更新：${clockTime(at)}`, `next refresh: ${clockTime(at)}`);
}

interface DemoStatus {
  readonly started_at: string;
  readonly authinfo: { state: string; generation?: number };
  readonly bridge: { state: string; path: string; bridge: string | null; device_id: string | null } | null;
  readonly last_error: { code: string } | null;
  readonly next_attempt: { at: string } | null;
}

function explain({ apiSocket, directory }: Playground): void {
  print(
    `自己读取：curl -s --max-time 2 --unix-socket ${apiSocket} http://localhost/v1/authinfo`,
    `read it yourself: curl -s --max-time 2 --unix-socket ${apiSocket} http://localhost/v1/authinfo`,
  );
  print(`文件与日志：${directory}`, `files and log: ${directory}`);
  print(
    "试一试断网：输入 o 回车 = 微信支付中断/恢复；u 回车 = 拔下/插上硬件桥；k 回车 = kill -9 服务并重启；Ctrl-C 结束。",
    "try an outage: o + Enter = WeChat Pay down/up; u + Enter = bridge unplugged/plugged; k + Enter = kill -9 the agent, then start it again; Ctrl-C ends all.",
  );
  print(
    `没有键盘时：kill -USR2 ${process.pid} 等同于 o`,
    `without a keyboard: kill -USR2 ${process.pid} does the same as o`,
  );
}

const playground = await createPlayground(demoDirectory());
const peers = new Peers(playground);
const agent = new Agent(playground);
const url = await peers.serve();
const device = await peers.plug();
print(
  `模拟硬件桥：${device}，模拟${gateway ? "商户网关" : "微信支付"}：${url}`,
  `simulated bridge on ${device}, simulated ${gateway ? "merchant's gateway" : "WeChat Pay"} on ${url}`,
);
await playground.writeConfig({
  baseUrls: [url],
  driver: { type: "serial", path: path.basename(playground.deviceLink) },
  mode: gateway ? "gateway" : "direct",
});

let busy: Promise<void> = Promise.resolve();
const act = (what: () => Promise<void>) => {
  busy = busy.then(what).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
  });
};
const outage = () =>
  act(async () => {
    const up = await peers.toggleServer();
    print(up ? "微信支付已恢复" : "微信支付已中断", up ? "WeChat Pay is up again" : "WeChat Pay is down");
  });
process.on("SIGUSR2", outage);
const keys = createInterface({ input: process.stdin });
keys.on("line", (key) => {
  if (key.trim() === "o") outage();
  if (key.trim() === "k") agent.kill();
  if (key.trim() === "u") {
    act(async () => {
      const plugged = await peers.toggleBridge();
      print(
        plugged ? "硬件桥已插上" : "硬件桥已拔下",
        plugged ? "the bridge is plugged in" : "the bridge is unplugged",
      );
    });
  }
});

const end = async () => {
  keys.close();
  await agent.stop();
  await peers.close();
  process.exit(0);
};
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => void end());

agent.start();
explain(playground);
await narrate(playground);
