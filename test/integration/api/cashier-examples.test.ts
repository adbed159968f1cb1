import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCashierServer } from "../../../agent/api/cashier-api.ts";
import { type OpenSocket, openSocket } from "../../../agent/api/sockets.ts";
import { systemClock } from "../../../agent/common/clock.ts";
import { silentLog } from "../../../agent/common/log/log.ts";
import {
  absentView,
  FakeCredentialService,
  identity,
  makeView,
  temporaryDirectory,
} from "../../support/fixtures/api-fixture.ts";
import { missing, utf8 } from "../../support/fixtures/tools.ts";

/** The programs in docs/examples/cashier, run as their pages say. */

const run = promisify(execFile);
const programs = path.resolve(import.meta.dirname, "../../../docs/examples/cashier");

interface Example {
  readonly file: string;
  readonly needs: readonly string[];
  /** Makes the program, where that takes a step of its own. */
  readonly build?: (file: string, to: string) => readonly [string, ...string[]];
  readonly start: (file: string) => readonly [string, ...string[]];
  readonly prints: string;
}

const clients = path.resolve(programs, "../../clients");
const line = "fresh, generation 7, 3599 s left\n";
const examples: readonly Example[] = [
  { file: "authinfo.sh", needs: ["curl"], start: (file) => ["sh", file], prints: '{"authinfo":"CANARY-' },
  { file: "authinfo.py", needs: ["python3"], start: (file) => ["python3", file], prints: line },
  {
    file: "authinfo.go",
    needs: ["go"],
    build: (file, to) => ["go", "build", "-o", to, file],
    start: (file) => [file],
    prints: line,
  },
  { file: "authinfo.mjs", needs: [], start: (file) => [process.execPath, file], prints: line },
  {
    file: "authinfo.c",
    needs: ["cc"],
    build: (file, to) =>
      ["cc", "-O2", "-Wall", "-Werror", "-o", to, "-I", `${clients}/c`, file].concat(
        `${clients}/c/facepay_agent.c`,
      ) as [string],
    start: (file) => [file],
    prints: line,
  },
  {
    file: "Authinfo.java",
    needs: ["java", "javac"],
    build: (file, to) => ["javac", "-encoding", "UTF-8", "-d", to, file, `${clients}/java/FacepayAgent.java`],
    start: (file) => ["java", "-Dstdout.encoding=UTF-8", "-Dfile.encoding=UTF-8", "-cp", file, "Authinfo"],
    prints: line,
  },
];

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let socket: string;
let open: OpenSocket;
let credentials: FakeCredentialService;
let denied: string[];

beforeEach(async () => {
  directory = await temporaryDirectory();
  socket = `${directory.path}/api.sock`;
  credentials = new FakeCredentialService();
  denied = [];
  const server = createCashierServer({
    credentials,
    identity: () => identity,
    driver: () => undefined,
    live: () => true,
    served: () => {},
    denied: (reason) => denied.push(reason),
    supportCode: () => "1YPB-2M43-GN84",
    clock: systemClock(),
    log: silentLog,
  });
  open = await openSocket(server, { path: socket, mode: 0o660 });
});

afterEach(async () => {
  await open.close();
  await directory.remove();
});

/** What the program prints; a program that tells the shopper something may end with 1. */
async function output([command, ...args]: readonly [string, ...string[]]): Promise<string> {
  try {
    return (await run(command, args)).stdout;
  } catch (error) {
    const { code, stdout } = error as { code: unknown; stdout: string };
    if (code !== 1) throw error;
    return stdout;
  }
}

/** A peer on a unix socket that says something and then nothing more. */
async function halfAnswer(file: string, text: string): Promise<AsyncDisposable> {
  const open = new Set<net.Socket>();
  const server = net.createServer((client) => {
    open.add(client.on("error", () => {}));
    client.once("data", () => client.write(text));
  });
  await new Promise<void>((resolve) => server.listen(file, resolve));
  return {
    async [Symbol.asyncDispose]() {
      for (const client of open) client.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe.each(examples)("docs/examples/cashier/$file", ({ file, needs, build, start, prints }) => {
  it("shows the authinfo or a sentence for the shopper, whatever the agent answers", async ({ skip }) => {
    const reason = missing(...needs);
    if (reason !== undefined) return skip(reason);
    let program = path.join(programs, file);
    if (build) {
      const [command, ...args] = build(program, path.join(directory.path, "program"));
      await run(command, args, { env: utf8() });
      program = path.join(directory.path, "program");
    }
    const unavailable = "刷脸支付暂不可用，请扫码支付\n";
    const ask = (at: string) => output([...start(program), at]);
    /** A program waits two seconds, which a busy machine may need for something else: then it asks again. */
    const served = async () => {
      for (let tries = 0; tries < 20; tries++) {
        const printed = await ask(socket);
        if (printed !== unavailable) return printed;
      }
      return unavailable;
    };

    const code = "支持代码 1YPB-2M43-GN84\n";
    expect(await served()).toContain(prints);
    credentials.become(absentView);
    expect(await served()).toBe(`刷脸支付准备中，请稍候或扫码支付\n${code}`);
    credentials.become(makeView({ state: "expired", remainingMs: -4000 }));
    expect(await served()).toBe(`暂时不能刷脸支付，请扫码支付\n${code}`);
    credentials.become({ ...absentView, state: "unprovisioned" });
    expect(await served()).toBe(`本机尚未开通刷脸支付，请扫码支付\n${code}`);
    expect(denied).toEqual([]);

    expect(await ask(`${directory.path}/none.sock`)).toBe(unavailable);
    for (const [n, text] of ["", "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"].entries()) {
      const place = `${directory.path}/half-${n}.sock`;
      await using _peer = await halfAnswer(place, text);
      expect(await ask(place)).toBe(unavailable);
    }
  });
});

describe("the cashier's pages", () => {
  const page = (file: string) => readFileSync(path.resolve(programs, "../..", file), "utf8");

  it.each(["cashier-api.md", "cashier-api.zh-CN.md"])("%s names each program", (file) => {
    const named = [...page(file).matchAll(/\(examples\/cashier\/([\w.]+)\)/g)].map(([, name]) => name);
    expect(named.toSorted()).toEqual(examples.map((example) => example.file).toSorted());
  });
});
