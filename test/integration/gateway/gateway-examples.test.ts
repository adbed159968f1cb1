import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import tls from "node:tls";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { freePort, GatewayRig, removeFactory, sha256 } from "../../support/fixtures/gateway-rig.ts";
import { missing, missingPhp } from "../../support/fixtures/tools.ts";
import { failure, request } from "../../support/fixtures/wechatpay-rig.ts";

/** The programs in docs/examples/gateway between the agent's own client and the simulated WeChat Pay. */

const run = promisify(execFile);
const programs = path.resolve(import.meta.dirname, "../../../docs/examples/gateway");
const TOKEN = "a".repeat(64);
afterAll(removeFactory);

type Command = readonly [string, ...string[]];

interface Example {
  readonly file: string;
  readonly missing: () => string | undefined;
  readonly build: readonly Command[];
  readonly start: (port: number) => Command;
}

/** The program trusts the simulated WeChat Pay's authority (ca.pem) in its language's own way. */
const examples: readonly Example[] = [
  {
    file: "Gateway.java",
    missing: () => missing("java", "javac", "keytool"),
    build: [
      ["javac", "-Xlint:all", "-Werror", "Gateway.java"],
      [
        "keytool",
        ...["-importcert", "-noprompt", "-alias", "ca", "-file", "playground/ca.pem"],
        ...["-keystore", "trust.p12", "-storetype", "PKCS12", "-storepass", "changeit"],
      ],
    ],
    start: () => [
      "java",
      "-Djavax.net.ssl.trustStore=trust.p12",
      "-Djavax.net.ssl.trustStorePassword=changeit",
      "Gateway",
    ],
  },
  {
    file: "gateway.php",
    missing: () => missingPhp("curl", "openssl"),
    build: [],
    start: (port) => ["php", "-d", "curl.cainfo=playground/ca.pem", "-S", `127.0.0.1:${port}`, "gateway.php"],
  },
  {
    file: "gateway.go",
    missing: () => missing("go"),
    build: [["go", "build", "-o", "gateway", "gateway.go"]],
    start: () => ["./gateway"],
  },
];

/** The HTTPS server that the page wants in front. */
async function inFront(rig: GatewayRig, port: number): Promise<{ readonly url: string } & AsyncDisposable> {
  const { certPem: cert, privateKeyPem: key } = rig.playground.server;
  const open = new Set<net.Socket>();
  const server = tls.createServer({ cert, key }, (client) => {
    const there = net.connect(port, "127.0.0.1");
    open.add(client).add(there);
    client.on("error", () => there.destroy()).pipe(there);
    there.on("error", () => client.destroy()).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listening(port: number, program: ChildProcess, log: () => string): Promise<void> {
  for (let tries = 0; tries < 3000; tries++) {
    if (program.exitCode !== null) break;
    const socket = net.connect(port, "127.0.0.1");
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await delay(20);
  }
  throw new Error(`the gateway does not listen: ${log()}`);
}

describe.each(examples)("docs/examples/gateway/$file", ({ file, missing, build, start }) => {
  it("lets a terminal in by its token, signs, uses the second domain, and passes answers on whole", async ({
    skip,
  }) => {
    const reason = missing();
    if (reason !== undefined) return skip(reason);
    await using rig = await GatewayRig.create();
    const { identity, merchant } = rig.playground;
    await copyFile(path.join(programs, file), rig.within(file));
    const record = [sha256(TOKEN), identity.deviceId, identity.subMchid, identity.subAppid, identity.organizationId];
    const otherShop = [sha256("b"), identity.deviceId, "1900000110", identity.subAppid, identity.organizationId];
    await rig.write("devices.csv", `${record.join(",")}\n${otherShop.join(",")}\n`);
    for (const [command, ...args] of build) await run(command, args, { cwd: rig.directory });

    const closed = await freePort();
    const port = await freePort();
    const [command, ...args] = start(port);
    const program = spawn(command, args, {
      cwd: rig.directory,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        SP_MCHID: identity.spMchid,
        SP_APPID: identity.spAppid,
        MERCHANT_SERIAL_NO: merchant.serialNo,
        MERCHANT_KEY: "playground/merchant-key.pem",
        PORT: String(port),
        // The primary refuses the connection.
        WXPAY_URLS: `https://127.0.0.1:${closed},${rig.pay.url}`,
        SSL_CERT_FILE: "playground/ca.pem",
      },
    });
    let log = "";
    for (const stream of [program.stdout, program.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        log += text;
      });
    }
    try {
      await listening(port, program, () => log);
      await using front = await inFront(rig, port);
      const terminal = (bearerToken: string) => rig.client([front.url], { bearerToken });
      const answer = await request(terminal(TOKEN)).catch((error: unknown) => {
        throw new Error(`${String(error)}; the gateway's log: ${log}`);
      });
      expect(answer.authinfo).not.toBe("");
      expect(await failure(request(terminal("c".repeat(64))))).toMatchObject({
        code: "PAY_UNAUTHORIZED",
        params: { answerCode: "TOKEN" },
      });
      expect(await failure(request(terminal("b")))).toMatchObject({
        code: "PAY_FORBIDDEN",
        params: { answerCode: "NOT_THIS_DEVICE" },
      });
      rig.pay.faults.next({ status: 429, headers: { "Retry-After": "17" } });
      expect(await failure(request(terminal(TOKEN)))).toMatchObject({
        code: "PAY_RATE_LIMITED",
        context: { retryAfterS: 17 },
      });
    } finally {
      program.kill("SIGKILL");
      if (program.exitCode === null && program.signalCode === null) await once(program, "exit");
    }
  });
});
