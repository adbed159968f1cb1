import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chmod, copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileSimulatedSdk } from "../../../drivers/simulator/compile-sdk.ts";
import { NO_SAMPLES, publishedSamples } from "../../support/checks/published-samples.ts";
import { NativeBridge, noCompiler } from "../../support/fakes/native-bridge.ts";
import { wrap } from "../../support/fakes/scripted-bridge.ts";
import { crashTheSdk } from "../../support/faults/crash-bridge.ts";
import { AgentProcess, launcher } from "../../support/fixtures/agent-process.ts";
import { removeFactory } from "../../support/fixtures/running-agent.ts";
import { SerialCable } from "../../support/fixtures/two-boards.ts";

/** Beside the project, where it is checked out for development. */

let directory: string;
let library: string;
let sockets = 0;
const newSocket = () => path.join(directory, `bridge-${++sockets}.sock`);

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "facepay-bridge-"));
  if (noCompiler() === undefined) library = await compileSimulatedSdk(directory);
});

afterAll(async () => {
  await rm(directory, { recursive: true });
  await removeFactory();
});

/** One call after the other on a connection of its own, unframed as plainly as possible. */
class Caller implements AsyncDisposable {
  readonly #socket: net.Socket;
  #rest = Buffer.alloc(0);
  #resolve: (text: string) => void = () => {};

  constructor(socketPath: string) {
    this.#socket = net.connect(socketPath);
    this.#socket.on("error", () => undefined);
    this.#socket.on("data", (chunk: Buffer) => {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      const parts = this.#rest.toString("latin1").split("\x7e");
      this.#rest = Buffer.from(parts.pop() ?? "", "latin1");
      for (const part of parts) {
        const octets = part.replace(/\x7d(.)/gs, (_, octet: string) => String.fromCharCode(octet.charCodeAt(0) ^ 0x20));
        if (octets.length > 4) this.#resolve(Buffer.from(octets, "latin1").subarray(0, -4).toString());
      }
    });
  }

  ask(payload: string): Promise<string> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#socket.write(wrap(payload));
    });
  }

  async call(params: object): Promise<{ result?: Record<string, unknown>; error?: Record<string, unknown> }> {
    return JSON.parse(await this.ask(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "call", params })));
  }

  async hello(): Promise<Record<string, unknown>> {
    const params = { protocol: "1.0", agent: "test/1" };
    return JSON.parse(await this.ask(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "hello", params }))).result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }
}

const childrenOf = (pid: number | string) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");

/** A zombie that its new parent has not waited for yet is none of ours. */
const isAlive = (pid: string) => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

const kit = (place: string, ...more: string[]) =>
  spawnSync(process.execPath, [launcher, "bridge", "--check", place, "--lang", "en", ...more], { encoding: "utf8" });

describe.skipIf(noCompiler())(`the reference bridge over the C library ${noCompiler() ?? ""}`, () => {
  it("passes the conformance kit on a socket, 10 000 calls without loss, and once started anew", async () => {
    const socket = newSocket();
    const start = async () => {
      const bridge = new NativeBridge(directory, library, ["--socket", socket, "--call-timeout", "600"]);
      await bridge.start();
      return bridge;
    };
    const first = await start();
    const restart = path.join(directory, "restart");
    // The kit's command kills this bridge; the one that takes its place is ours to start.
    await writeFile(restart, `kill ${first.process.pid}; while [ -e ${socket} ]; do sleep 0.02; done\n`);
    const replaced = first.process.exited.then(start);
    const child = new AgentProcess([
      "bridge",
      "--check",
      socket,
      "--json",
      "--silence",
      "0",
      "--restart",
      `sh ${restart}`,
    ]);
    const { code } = await child.exited;
    const report = JSON.parse(child.stdout);
    await (await replaced)[Symbol.asyncDispose]();
    expect(report.cases.filter(({ status }: { status: string }) => status !== "pass")).toEqual([]);
    expect(report).toMatchObject({ schema: "facepay-agent.bridge-check/1", conforms: true, failed: 0, skipped: 0 });
    expect(report.cases.at(-1)).toMatchObject({ id: "E01", detail: { en: expect.stringContaining("10000 calls") } });
    expect([code, child.stderr]).toEqual([0, ""]);
  });

  it("passes the cases of the line on a serial device", async () => {
    await using cable = new SerialCable(path.join(directory, "tty-kit"), path.join(directory, "tty-bridge"));
    await cable.plug();
    await using bridge = new NativeBridge(directory, library, ["--port", path.join(directory, "tty-bridge")]);
    await bridge.start();
    const child = new AgentProcess([
      "bridge",
      "--check",
      path.join(directory, "tty-kit"),
      "--lang",
      "en",
      "--only",
      "F01,F08,F12,F13,H04,S02,S06",
    ]);
    await child.exited;
    expect(child.stdout).toMatch(/7 passed, 0 failed, 0 not tried\nconforms\n$/);
  });

  it("passes numbers, doubled names and white space as they are, and a request of the largest frame", async () => {
    const socket = newSocket();
    await using bridge = new NativeBridge(directory, library, ["--socket", socket]);
    await bridge.start();
    await using caller = new Caller(socket);
    const params =
      '{ "cmd":"simulatedEcho", "n":123456789012345678901234567890,"n" : 1.10e2, "text":"微信\\u0000 }{" }';
    const answer = await caller.ask(`{"params":${params},"id":18446744073709551615,"method":"call","jsonrpc":"2.0"}`);
    expect(answer).toBe(
      `{"jsonrpc":"2.0","id":18446744073709551615,"result":{"return_code":"SUCCESS","request":${params}}}`,
    );
    const padding = "x".repeat(8_080);
    expect(await caller.call({ cmd: "getWxpayfaceCode", padding })).toMatchObject({ result: { err_code: 271378620 } });
  });

  it("passes the published samples of the SDK's answers as they are", async ({ skip }) => {
    const samples = publishedSamples<{ id: string; resp?: object }[]>("09-terminal-sdk.json");
    if (samples === undefined) return skip(NO_SAMPLES);
    const socket = newSocket();
    await using bridge = new NativeBridge(directory, library, ["--socket", socket]);
    await bridge.start();
    await using caller = new Caller(socket);
    const answers = samples.filter(({ resp }) => resp !== undefined);
    expect(answers.length).toBeGreaterThan(5);
    for (const { id, resp } of answers) {
      const file = path.join(directory, `${id}.json`);
      await writeFile(file, JSON.stringify(resp));
      const { result } = await caller.call({ cmd: "getSdkInfo", simulate: `answer ${file}` });
      expect(result, id).toEqual(resp);
    }
  });

  it("keeps answering hello while the SDK is busy, gives up on a hanging call, and goes on with a new session", async () => {
    const socket = newSocket();
    await using bridge = new NativeBridge(directory, library, ["--socket", socket, "--call-timeout", "600"]);
    await bridge.start();
    await using caller = new Caller(socket);
    await using other = new Caller(socket);
    const { session } = await other.hello();
    const hanging = caller.call({ cmd: "getSdkInfo", simulate: "hang" });
    expect((await other.hello()).session).toBe(session);
    expect(await hanging).toMatchObject({ error: { code: -32003, data: { code: "SDK_HUNG" } } });
    expect((await other.hello()).session).not.toBe(session);
    expect(await caller.call({ cmd: "initWxpayface", version: "1", now: 1 })).toMatchObject({
      result: { return_code: "SUCCESS" },
    });
  });

  it("is not misled by what the library writes into descriptors that are not its own, and counts no final NUL", async () => {
    const socket = newSocket();
    await using bridge = new NativeBridge(directory, library, ["--socket", socket]);
    await bridge.start();
    await using caller = new Caller(socket);
    for (const simulate of ["scribble", "nul"]) {
      const answer = await caller.call({ cmd: "initWxpayface", version: "1", now: 1, simulate });
      expect(answer).toEqual({ jsonrpc: "2.0", id: 1, result: { return_code: "SUCCESS", return_msg: "" } });
    }
    expect(await caller.call({ cmd: "getSdkInfo", simulate: "lie 4000000000" })).toMatchObject({
      error: { code: -32004, data: { code: "SDK_ANSWER_TOO_LARGE" } },
    });
  });

  it("leaves no process of the SDK behind, however it is ended", async () => {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const socket = newSocket();
      await using bridge = new NativeBridge(directory, library, ["--socket", socket]);
      await bridge.start();
      await bridge.logs("SDK_LOADED");
      await using caller = new Caller(socket);
      void caller.call({ cmd: "getSdkInfo", simulate: "spin" });
      await delay(100);
      const [child = ""] = childrenOf(bridge.process.pid);
      expect(isAlive(child)).toBe(true);
      bridge.process.kill(signal);
      await bridge.process.exited;
      for (let looks = 0; looks < 100 && isAlive(child); looks++) await delay(20);
      expect(isAlive(child)).toBe(false);
    }
  });

  it("survives a library that crashes or hangs while it is loaded", async () => {
    const socket = newSocket();
    await using bridge = new NativeBridge(directory, library, ["--socket", socket, "--init-timeout", "5000"]);
    await bridge.start();
    await bridge.logs("SDK_LOADED");
    await using caller = new Caller(socket);
    const init = { cmd: "initWxpayface", version: "1", now: 1 };
    await bridge.misbehave("load crash");
    for (const simulate of ["crash", ""]) {
      const crashed = await caller.call({ ...init, simulate });
      expect(crashed).toMatchObject({ error: { code: -32002, data: { code: "SDK_CRASHED" } } });
    }
    await bridge.misbehave("load hang");
    expect(await caller.call(init)).toMatchObject({ error: { code: -32003, data: { code: "SDK_HUNG" } } });
    await bridge.behave();
    expect(await caller.call(init)).toMatchObject({ result: { return_code: "SUCCESS" } });
  });

  it("starts no process of the SDK for a bridge that has gone meanwhile", () => {
    const parent = String(process.pid + 1);
    const { status } = spawnSync(process.execPath, [launcher, "bridge-sdk", library, parent], {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    expect(status).toBe(1);
  });

  it("ends what the library has started together with it", async () => {
    const socket = newSocket();
    await using bridge = new NativeBridge(directory, library, ["--socket", socket, "--call-timeout", "500"]);
    await bridge.start();
    await bridge.logs("SDK_LOADED");
    await using caller = new Caller(socket);
    const hanging = caller.call({ cmd: "getSdkInfo", simulate: "helper" });
    await delay(200);
    const [child = ""] = childrenOf(bridge.process.pid);
    const [helper = ""] = childrenOf(child);
    expect(isAlive(helper)).toBe(true);
    expect(await hanging).toMatchObject({ error: { data: { code: "SDK_HUNG" } } });
    for (let looks = 0; looks < 100 && isAlive(helper); looks++) await delay(20);
    expect(isAlive(helper)).toBe(false);
  });

  it("survives 25 crashes of the SDK in a row: no zombie, no descriptor, no memory", async () => {
    const { zombies, agent, bridge, faults } = await crashTheSdk(25);
    expect([faults, zombies]).toEqual([[], 0]);
    for (const held of [agent, bridge]) {
      expect(held.at(-1)?.descriptors).toBeLessThanOrEqual(Number(held[0]?.descriptors));
      expect(Number(held.at(-1)?.residentKiB) - Number(held[1]?.residentKiB)).toBeLessThan(20_000);
    }
  });
});

describe("the reference bridge, asked for what it cannot do", () => {
  const run = async (...args: string[]) => {
    const bridge = new AgentProcess(["bridge", ...args], { env: { LANG: "en_GB.UTF-8" } });
    const { code } = await bridge.exited;
    return { code, said: bridge.stderr };
  };

  it("refuses a wrong command line with 64 and says what to do", async () => {
    expect(await run("--socket", newSocket())).toMatchObject({ code: 64, said: expect.stringContaining("--library") });
    expect(await run("--libary", "/x.so")).toMatchObject({ code: 64, said: expect.stringContaining("--library") });
  });

  it("refuses a device id file that is missing or holds none with 78", async () => {
    const file = path.join(directory, "device-id");
    const args = ["--library", "/x.so", "--socket", newSocket(), "--device-id-file", file];
    expect(await run(...args)).toMatchObject({ code: 78, said: expect.stringContaining("cannot be read") });
    await writeFile(file, "x".repeat(40));
    expect(await run(...args)).toMatchObject({ code: 78, said: expect.stringContaining("1 to 32 printable") });
  });

  it("refuses a socket another bridge serves with 75, and takes over one that was left behind", async () => {
    const socket = newSocket();
    const args = ["bridge", "--library", "/x.so", "--socket", socket];
    const first = new NativeBridge(directory, "/x.so", ["--socket", socket]);
    await first.start();
    const second = new AgentProcess(args);
    expect([(await second.exited).code, second.stderr]).toEqual([75, expect.stringContaining("is in use")]);
    await first.process.crash();
    expect(existsSync(socket)).toBe(true);
    await using third = new NativeBridge(directory, "/x.so", ["--socket", socket]);
    await third.start();
  });

  it("serves the line whatever is wrong with the library, says so in both languages, and takes it up once it is there", async () => {
    const koffi = path.dirname(createRequire(import.meta.url).resolve(`@koromix/koffi-linux-${process.arch}`));
    const own = readdirSync(koffi, { recursive: true, encoding: "utf8" });
    const addon = own.find((file) => file.endsWith("koffi.node") && !file.includes("musl")) ?? "";
    const file = path.join(directory, "libvendor.so");
    const socket = newSocket();
    await using bridge = new NativeBridge(directory, file, ["--socket", socket, "--device-id", "SN-1"]);
    await bridge.start();
    await using caller = new Caller(socket);
    const told = async () => {
      const { error } = await caller.call({ cmd: "initWxpayface", version: "1", now: 1 });
      expect(error).toMatchObject({ code: -32001, message: expect.stringContaining("libvendor.so") });
      const { code } = (error?.data ?? {}) as { code: string };
      const logged = bridge.process.logged(code).at(-1);
      expect([logged?.zh, logged?.en]).toEqual([
        expect.stringMatching(/[\u4e00-\u9fff]/),
        expect.stringMatching(/library/),
      ]);
      return code;
    };
    expect((await caller.hello()).device_id).toBe("SN-1");
    expect(await told()).toBe("SDK_LIBRARY_MISSING");
    await writeFile(file, "not a library at all");
    expect(await told()).toBe("SDK_LIBRARY_UNUSABLE");
    const foreign = Buffer.alloc(64);
    foreign.write("\x7fELF\x01\x01\x01", "latin1");
    foreign.writeUInt16LE(3, 16);
    foreign.writeUInt16LE(40, 18);
    await writeFile(file, foreign);
    expect(await told()).toBe("SDK_LIBRARY_ARCH");
    foreign.writeUInt8(2, 4);
    foreign.writeUInt16LE(process.arch === "arm64" ? 183 : 62, 18);
    await writeFile(file, foreign);
    expect(await told()).toBe("SDK_LIBRARY_UNUSABLE");
    await copyFile(path.join(koffi, addon), file);
    expect(await told()).toBe("SDK_LIBRARY_SYMBOL");
    if (noCompiler() === undefined) {
      await copyFile(library, file);
      await chmod(file, 0o755);
      expect(await caller.call({ cmd: "initWxpayface", version: "1", now: 1 })).toMatchObject({
        result: { return_code: "SUCCESS" },
      });
    }
  });
});

describe("the conformance kit as a command", () => {
  it("exits 3 for a wrong command line, 4 where nobody answers the door", () => {
    for (const args of [["--nonsense"], ["--only", "X99"]]) {
      const { status, stderr, stdout } = kit("/nowhere.sock", ...args);
      expect([status, stdout]).toEqual([3, ""]);
      expect(stderr).not.toBe("");
    }
    const { status, stderr } = kit(path.join(directory, "nobody.sock"));
    expect([status, stderr]).toEqual([4, expect.stringContaining("BRIDGE_NOT_FOUND")]);
  });

  it("exits 1 for a bridge that does not conform, and names the rule to begin with", async () => {
    const socket = newSocket();
    const server = net.createServer((connection) => connection.on("error", () => undefined).pipe(connection));
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const child = new AgentProcess(["bridge", "--check", socket, "--lang", "en", "--only", "R01"]);
    const { code } = await child.exited;
    await new Promise((resolve) => server.close(resolve));
    expect([code, child.stdout]).toEqual([
      1,
      expect.stringMatching(/FAIL R01 .*\n.*\ndoes not conform: fix R01 first/),
    ]);
  });

  it("lists its cases without a bridge", () => {
    const { status, stdout } = spawnSync(process.execPath, [launcher, "bridge", "--list", "--json"], {
      encoding: "utf8",
    });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toContainEqual({
      id: "F01",
      title: { zh: expect.any(String), en: expect.any(String) },
      rule: expect.any(String),
    });
  });
});
