import { chmod, readdir, rename, stat, unlink } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { as, type Met, noOtherUsers, type Somebody } from "../../support/children/as-user.ts";
import { AgentProcess } from "../../support/fixtures/agent-process.ts";
import { openRig, type Rig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const NOBODY = 65_534;
const CASHIERS = 54_321;
const TECHNICIANS = 54_322;
const cashier: Somebody = { uid: NOBODY, groups: [CASHIERS] };
const technician: Somebody = { uid: NOBODY, groups: [TECHNICIANS] };
const stranger: Somebody = { uid: NOBODY, groups: [NOBODY] };
const skipped = noOtherUsers === undefined ? "" : ` (skipped: ${noOtherUsers})`;

/** As a package would set it up: a group for each socket, everything else the agent's own. */
async function guardedRig(): Promise<Rig> {
  const api = { socket_group: `${CASHIERS}`, socket_mode: "0660", admin_socket_group: `${TECHNICIANS}` };
  const rig = await openRig({ config: { api: { ...api, admin_socket_mode: "0660" } } });
  await rig.configure({
    file_copy: { path: rig.within("run/authinfo.json"), mode: "0640", group: `${CASHIERS}` },
    metrics: { textfile: rig.within("run/facepay.prom") },
  });
  // Temporary directories are their owner's alone; /run and /var/lib are not.
  for (const directory of [rig.directory, rig.within("run")]) await chmod(directory, 0o755);
  return rig;
}

describe.skipIf(noOtherUsers !== undefined)(`who may do what${skipped}`, () => {
  it("the cashier's group reads the authinfo and cannot reach the admin socket; the technician's the other way round; others nothing", async () => {
    await using rig = await guardedRig();
    const { authinfo } = await rig.serve();
    await rig.until("the file copy", () => stat(rig.within("run/authinfo.json")));
    const everything = [
      `GET ${rig.apiSocket} /v1/authinfo`,
      `GET ${rig.adminSocket} /v1/status`,
      `read ${rig.within("run/authinfo.json")}`,
      ...(await readdir(rig.stateDirectory)).map((name) => `read ${path.join(rig.stateDirectory, name)}`),
      `read ${rig.within("merchant-key.pem")}`,
      `read /proc/${rig.agent.pid}/environ`,
      `read /proc/${rig.agent.pid}/maps`,
    ];
    const [asCashier, asTechnician, asStranger] = await Promise.all(
      [cashier, technician, stranger].map((who) => as(who, everything)),
    );
    const gets = (met: readonly Met[] = []) => met.slice(0, 3).map(({ status, text }) => status ?? text);
    expect(gets(asCashier)).toEqual([200, "EACCES", expect.stringContaining(authinfo)]);
    expect(asCashier?.[0]?.text).toContain(authinfo);
    expect(gets(asTechnician)).toEqual(["EACCES", 200, "EACCES"]);
    expect(gets(asStranger)).toEqual(["EACCES", "EACCES", "EACCES"]);
    // State, keys and memory are the agent's alone, for either of them.
    const own = everything.slice(3);
    expect(own.length).toBeGreaterThan(5);
    for (const met of [asCashier, asTechnician, asStranger]) {
      expect(Object.fromEntries(own.map((what, index) => [what, met?.[3 + index]?.text]))).toEqual(
        Object.fromEntries(own.map((what) => [what, expect.stringMatching(/^(EACCES|EPERM|ENXIO)$/)])),
      );
    }
    for (const { text } of [...(asTechnician ?? []), ...(asStranger ?? [])]) expect(rig.canaries.in(text)).toEqual([]);
  });

  it("a technician's requests to every path of the admin socket yield no piece of an authinfo", async () => {
    await using rig = await guardedRig();
    await rig.serve();
    const targets = ["/v1/status", "/metrics", "/livez", "/readyz", "/v1/authinfo", "/v1/authinfo?stale=ok"];
    const more = ["/v1/authinfo/events", "/v1/authinfo/refresh", "/v1/sdk/call", "/v1/bridge/probe", "/"];
    const met = await as(
      technician,
      [...targets, ...more].map((target) => `GET ${rig.adminSocket} ${target}`),
    );
    expect(met.map(({ status }) => status)).toEqual([200, 200, 200, 200, 404, 404, 404, 405, 404, 405, 404]);
    for (const { text } of met) expect(rig.canaries.in(text)).toEqual([]);
  });
});

describe.concurrent("the doors of the agent", () => {
  it("are the two sockets and the lock in its own directory: no TCP or UDP port, no abstract name", async () => {
    await using rig = await openRig();
    await rig.serve();
    const doors = rig.agent.unixListeners();
    const lock = doors.filter((name) => /^\/proc\/self\/fd\/\d+\/\.lock\./.test(name));
    expect(lock.length).toBe(1);
    expect(doors.filter((name) => !lock.includes(name)).sort()).toEqual([rig.adminSocket, rig.apiSocket].sort());
    expect(rig.agent.listeningPorts()).toEqual([]);
    expect(rig.agent.boundUdpPorts()).toEqual([]);
  });

  it("that are replaced while it runs are told as a standing warning, and the other's file is left alone", async () => {
    await using rig = await openRig();
    await rig.serve();
    await rename(rig.apiSocket, `${rig.apiSocket}.moved`);
    const intruder = net.createServer((socket) => socket.end());
    await new Promise<void>((resolve) => intruder.listen(rig.apiSocket, resolve));
    const { warnings } = await rig.statusWhere("the warning", (status) =>
      status.warnings.some(({ code }) => code === "API_SOCKET_REPLACED"),
    );
    expect(warnings.find(({ code }) => code === "API_SOCKET_REPLACED")?.detail).toBe(rig.apiSocket);
    expect((await rig.stop()).code).toBe(0);
    expect((await stat(rig.apiSocket)).isSocket()).toBe(true);
    await new Promise((resolve) => intruder.close(resolve));
  });

  it("that are removed are told as well, and the warning goes when a reload has made them again", async () => {
    await using rig = await openRig();
    await rig.serve();
    await unlink(rig.apiSocket);
    const shows = (wanted: boolean) =>
      rig.statusWhere(
        `the warning: ${wanted}`,
        ({ warnings }) => warnings.some(({ code }) => code === "API_SOCKET_REPLACED") === wanted,
      );
    await shows(true);
    await rig.configure({ api: { socket: rig.within("run/again.sock") } });
    rig.agent.kill("SIGHUP");
    await shows(false);
  });
});

describe.concurrent("text from the serial side", () => {
  const EVIL = "<script>alert(1)</script>\u001b]0;x\u0007\u202e";

  it("that would be a script or steer a terminal is shown as text, by the socket and on the technician's screen", async () => {
    await using rig = await openRig();
    rig.bridge.name = `${EVIL}/1`;
    rig.bridge.deviceId = '"<script>alert(1)</script>';
    rig.bridge.sdkVersion = EVIL;
    rig.start();
    const { bridge } = await rig.statusWhere(
      "the bridge",
      ({ bridge }) => bridge?.device_id !== null && bridge !== null,
    );
    expect(bridge?.device_id).toBe(rig.bridge.deviceId);
    const { headers, text } = await rig.ask("admin", "GET", "/v1/status");
    expect(headers).toMatchObject({ "content-type": "application/json", "x-content-type-options": "nosniff" });
    await using technician = new AgentProcess(["status", "--config", rig.configFile, "--lang", "both"]);
    await technician.exited;
    const shown = technician.stdout;
    for (const output of [text, shown, rig.agent.stderr]) expect(output).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
    expect(shown).toContain("<script>");
  });
});
