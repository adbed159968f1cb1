/**
 * `npm start`: the main job on embedded simulators. A simulated bridge on a real pseudo-terminal and a simulated WeChat Pay
 * on loopback HTTPS run in this process; the agent runs in one of its own, exactly as on a terminal. With `--native` the bridge is
 * the reference bridge in a process of its own, over a simulated SDK that is a C library; with `--bridge java` it is the one in Java for
 * Android devices.
 */
import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chooseLanguage, languages } from "../agent/common/language.ts";
import { createPlayground, type Playground } from "../agent/simulator/playground.ts";
import { findCompiler } from "../drivers/simulator/compile-sdk.ts";
import { findJdk } from "../drivers/simulator/java-bridge.ts";
import { Agent } from "./demo/agent.ts";
import { type BridgePeer, JavaPeer, NativePeer, SimulatedPeer } from "./demo/bridge-peer.ts";
import { claim } from "./demo/claim.ts";
import { narrate } from "./demo/narrate.ts";
import { Peers } from "./demo/peers.ts";
import { printerFor } from "./demo/print.ts";
import { endWithLauncher } from "./handed-over.js";
import { readOptions } from "./read-options.ts";

endWithLauncher();
/** Aborts when the demo is to end: it has been told to, or nobody is there any more who reads it. */
const over = new AbortController();
// Each of them may come twice: from the terminal, and from the launcher that passes on its own.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => over.abort());
for (const stream of [process.stdin, process.stdout, process.stderr]) stream.on("error", () => over.abort());

const root = fileURLToPath(new URL("..", import.meta.url));

const options = readOptions("start", {
  gateway: { type: "boolean", default: false },
  bridge: { type: "string", default: "simulated", choices: ["simulated", "java"] },
  native: { type: "boolean", default: false },
  lang: { type: "string", choices: languages },
}).values;
const { gateway, lang } = options;
const kind = options.native ? "native" : options.bridge;
const print = printerFor(chooseLanguage(lang, process.env));

/** One short place for this checkout and user, kept from run to run: the second `npm start` serves what the first obtained. */
function demoDirectory(): string {
  const mark = createHash("sha256").update(root).digest("hex").slice(0, 8);
  const name = gateway ? "facepay-demo-gateway" : "facepay-demo";
  const directory = path.join(os.tmpdir(), `${name}-${process.getuid?.() ?? 0}-${mark}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const found = lstatSync(directory);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) throw new Error(`${directory} is not ours: remove it`);
  chmodSync(directory, 0o700);
  return directory;
}

async function bridgePeer(): Promise<BridgePeer> {
  if (kind === "native") return await NativePeer.compile(playground);
  if (kind === "java") return await JavaPeer.compile(playground);
  return new SimulatedPeer(playground);
}

function explain({ apiSocket, directory }: Playground, crashes: boolean): void {
  print(
    `自己读取：curl -s --max-time 2 --unix-socket ${apiSocket} http://localhost/v1/authinfo`,
    `read it yourself: curl -s --max-time 2 --unix-socket ${apiSocket} http://localhost/v1/authinfo`,
  );
  print(`文件与日志：${directory}`, `files and log: ${directory}`);
  print(
    "试一试断网：输入 o 回车 = 微信支付中断/恢复；u 回车 = 拔下/插上刷脸模组；k 回车 = kill -9 服务并重启；Ctrl-C 结束。",
    "try an outage: o + Enter = WeChat Pay down/up; u + Enter = bridge unplugged/plugged; k + Enter = kill -9 the agent, then start it again; Ctrl-C ends all.",
  );
  if (crashes) {
    const crash = `curl -s --unix-socket ${apiSocket} http://localhost/v1/sdk/call -H 'Content-Type: application/json' -d '{"cmd":"getSdkInfo","simulate":"crash"}'`;
    print(`让 SDK 崩溃：${crash}`, `let the SDK crash: ${crash}`);
  }
  print(
    `没有键盘时：kill -USR2 ${process.pid} 等同于 o`,
    `without a keyboard: kill -USR2 ${process.pid} does the same as o`,
  );
}

if (kind === "native" && findCompiler() === undefined) {
  print(
    "--native 需要 C 编译器来编译模拟 SDK：apt-get install gcc libc6-dev，或直接运行 npm start",
    "--native compiles the simulated SDK and finds no C compiler: apt-get install gcc libc6-dev, or run npm start without it",
  );
  process.exit(69);
}
if (kind === "java" && findJdk() === undefined) {
  print(
    "--bridge java 需要 JDK（java 与 javac）来编译：apt-get install default-jdk-headless，或直接运行 npm start",
    "--bridge java compiles the bridge and finds no JDK (java and javac): apt-get install default-jdk-headless, or run npm start without it",
  );
  process.exit(69);
}
const directory = demoDirectory();
const stateDirectory = path.join(directory, "state");
const claimed = await claim(directory, stateDirectory, print);
// What the gateway does is seen only when something is asked of it; that an authinfo is kept, the plain demo shows.
if (gateway) rmSync(stateDirectory, { recursive: true, force: true });
const playground = await createPlayground(directory);
const bridge = await bridgePeer();
const peers = new Peers(playground, bridge, gateway);
const agent = new Agent(playground, print, over.signal);
const url = await peers.serve();
const device = await bridge.plug();
const [bridgeZh, bridgeEn] = {
  simulated: ["模拟刷脸模组", "simulated bridge"],
  native: ["参考刷脸模组与 C 语言模拟 SDK", "reference bridge over a C library"],
  java: ["Java 版刷脸模组与模拟 SDK", "bridge in Java over a simulated SDK"],
}[kind] as [string, string];
print(
  `${bridgeZh}：${device}，模拟${gateway ? "商户网关" : "微信支付"}：${url}`,
  `${bridgeEn} on ${device}, simulated ${gateway ? "merchant's gateway" : "WeChat Pay"} on ${url}`,
);
await playground.writeConfig({
  baseUrls: [url],
  driver: bridge.driver,
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
        plugged ? "刷脸模组已插上" : "刷脸模组已拔下",
        plugged ? "the bridge is plugged in" : "the bridge is unplugged",
      );
    });
  }
});

if (!over.signal.aborted) {
  agent.start();
  explain(playground, kind !== "simulated");
  await narrate(playground, print, over.signal);
}
keys.close();
await agent.stop();
await peers.close();
await claimed.release();
print(`已停止，文件保留在 ${directory}`, `stopped; the files stay in ${directory}`);
process.exit(0);
