import { type ChildProcess, spawn } from "node:child_process";
import { lstatSync } from "node:fs";
import { lstat, mkdir, open as openFile, readdir, stat, symlink, unlink, writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ApiServer, createApiServer } from "../../../agent/api/http/server.ts";
import { type OpenSocket, openSocket, type SocketPlace } from "../../../agent/api/sockets.ts";
import { type Clock, systemClock } from "../../../agent/common/clock.ts";
import { isAgentError } from "../../../agent/common/errors.ts";
import { silentLog } from "../../../agent/common/log/log.ts";
import { failureInEnglish } from "../../../agent/messages/failure-text.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";
import { askAny, temporaryDirectory, until } from "../../support/fixtures/api-fixture.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let file: string;
let opened: OpenSocket[];

beforeEach(async () => {
  directory = await temporaryDirectory();
  file = `${directory.path}/api.sock`;
  opened = [];
});

afterEach(async () => {
  for (const socket of opened) await socket.close();
  await directory.remove();
});

const makeServer = (clock: Clock = systemClock()): ApiServer =>
  createApiServer(new Map([["/livez", { get: ({ res }) => void res.end("here") }]]), {
    clock,
    log: silentLog,
    denied: () => {},
  });

async function open(place: Partial<Extract<SocketPlace, { path: string }>> = {}): Promise<OpenSocket> {
  const socket = await openSocket(makeServer(), { path: file, mode: 0o660, ...place });
  opened.push(socket);
  return socket;
}

const refusal = (place: Partial<Extract<SocketPlace, { path: string }>> = {}) =>
  open(place).then(
    () => "opened",
    (error: unknown) => (isAgentError(error, "API_SOCKET") ? failureInEnglish(error) : `other: ${error}`),
  );

const modeOf = async (path: string) => ((await lstat(path)).mode & 0o7777).toString(8);

/** A socket file nobody listens on, as kill -9 leaves it. */
async function leaveStaleSocket(): Promise<void> {
  const code = `require("net").createServer().listen(${JSON.stringify(file)}, () => process.stdout.write("up"))`;
  const child: ChildProcess = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve) => child.stdout?.once("data", resolve));
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

describe("the end of a server", () => {
  it("lets a caller askAny who had been accepted and had not asked yet, and waits no longer for one who does not", async () => {
    const clock = new FakeClock();
    const server = makeServer(clock);
    const socket = await openSocket(server, { path: file, mode: 0o660 });
    const [caller, silent] = [net.connect(file), net.connect(file)];
    const gone = new Promise((resolve) => silent.once("close", resolve));
    await until(() => server.connections === 2, "both callers");
    const closed = socket.close();
    let answer = "";
    caller.setEncoding("utf8").on("data", (chunk) => {
      answer += chunk;
    });
    caller.once("error", (error) => {
      answer += `${error}`;
    });
    caller.write("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    await until(() => answer !== "", "an answer");
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    await clock.advance(1_000);
    await closed;
    await gone;
  });
});

describe("a socket of our own", () => {
  it("has exactly the mode and group asked for, and is gone afterwards", async () => {
    const before = process.umask();
    const socket = await open({ mode: 0o640 });
    expect(process.umask()).toBe(before);
    expect(await modeOf(file)).toBe("640");
    expect((await askAny(file, "GET", "/livez")).text).toBe("here");
    expect(socket.isReplaced()).toBe(false);
    await socket.close();
    expect(await readdir(directory.path)).toEqual([]);
  });

  it("is never wider than its owner before that", async () => {
    const server = makeServer();
    let first = "";
    // Comes when bind(2) and listen(2) are done and nothing else has run yet.
    server.listener.prependOnceListener("listening", () => {
      first = (lstatSync(file).mode & 0o7777).toString(8);
    });
    const before = process.umask(0);
    try {
      opened.push(await openSocket(server, { path: file, mode: 0o666 }));
    } finally {
      process.umask(before);
    }
    expect(first).toBe("600");
    expect(await modeOf(file)).toBe("666");
  });

  it("belongs to the group, by name or number", async () => {
    const group = process.getgid?.() === 0 ? "daemon" : String(process.getgid?.());
    await open({ group });
    const expected = group === "daemon" ? 1 : process.getgid?.();
    expect((await stat(file)).gid).toBe(expected);
  });

  it("is refused when there is no such group, with the remedy, and leaves nothing", async () => {
    expect(await refusal({ group: "no-such-group" })).toMatch(
      /group no-such-group of .* does not exist.*groupadd --system no-such-group/,
    );
    expect(await readdir(directory.path)).toEqual([]);
  });

  it("takes the place of one that a killed agent left", async () => {
    await leaveStaleSocket();
    expect((await lstat(file)).isSocket()).toBe(true);
    await open();
    expect((await askAny(file, "GET", "/livez")).status).toBe(200);
  });

  it("never takes the place of one that is alive", async () => {
    await open();
    expect(await refusal()).toMatch(/in use.*stop the other agent/);
    expect((await askAny(file, "GET", "/livez")).status).toBe(200);
  });

  it("never removes a file or follows a link", async () => {
    await writeFile(file, "precious");
    expect(await refusal()).toMatch(/not a socket/);
    await unlink(file);
    await symlink("/etc/passwd", file);
    expect(await refusal()).toMatch(/not a socket/);
    await unlink(file);
    await symlink(`${directory.path}/elsewhere`, file);
    expect(await refusal()).toMatch(/not a socket/);
    expect((await lstat(file)).isSymbolicLink()).toBe(true);
  });

  it("makes a missing directory that everybody may pass through, whatever the umask", async () => {
    const before = process.umask(0o077);
    try {
      await open({ path: `${directory.path}/run/agent/api.sock` });
    } finally {
      process.umask(before);
    }
    expect(await modeOf(`${directory.path}/run/agent`)).toBe("755");
  });

  it("is refused where it cannot be", async () => {
    expect(await refusal({ path: "relative.sock" })).toMatch(/absolute/);
    expect(await refusal({ path: "\0abstract" })).toMatch(/absolute/);
    await writeFile(`${directory.path}/file`, "");
    expect(await refusal({ path: `${directory.path}/file/api.sock` })).toMatch(/cannot be (created|examined)/);
  });

  it("may have a path of 107 octets, not of 108", async () => {
    const folder = `${directory.path}/${"d".repeat(60)}`;
    await mkdir(folder);
    const fitting = `${folder}/${"s".repeat(107 - folder.length - 1)}`;
    await open({ path: fitting });
    expect((await askAny(fitting, "GET", "/livez")).status).toBe(200);
    expect(await refusal({ path: `${fitting}s` })).toMatch(/108 octets.*at most 107/);
  });

  it("notices that it has been replaced, and leaves the other one alone", async () => {
    const socket = await open();
    await unlink(file);
    expect(socket.isReplaced()).toBe(true);
    const other = net.createServer((client) => client.end("other"));
    await new Promise<void>((resolve) => other.listen(file, resolve));
    expect(socket.isReplaced()).toBe(true);
    await socket.close();
    const heard = await new Promise((resolve) => net.connect(file).once("data", (data) => resolve(String(data))));
    expect(heard).toBe("other");
    expect(await readdir(directory.path)).toEqual(["api.sock"]);
    await new Promise((resolve) => other.close(resolve));
  });
});

describe("a socket that systemd hands over", () => {
  it("is served and stays when we go", async () => {
    const script = path.resolve(import.meta.dirname, "../../support/children/inherited-socket-child.ts");
    const child = spawn(process.execPath, [script, file], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    await until(() => output.endsWith("\n"), "the server");
    const before = await lstat(file);
    const pid = Number(output);
    const answer = await askAny(file, "GET", "/livez");
    process.kill(pid, "SIGTERM");
    expect(answer.text).toBe(`here ${pid}`);
    await until(() => output.endsWith("closed\n"), "the end");
    expect((await lstat(file)).ino).toBe(before.ino);
  });

  it("is refused when it is no socket", async () => {
    await expect(openSocket(makeServer(), { fd: 9_999 })).rejects.toMatchObject({ code: "API_SOCKET" });
    const handle = await openFile("/dev/null");
    await expect(openSocket(makeServer(), { fd: handle.fd })).rejects.toMatchObject({ code: "API_SOCKET" });
    await handle.close();
  });
});
