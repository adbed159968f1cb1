import { open, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import { limitFileSize, refuseWrites, SmallDisk } from "../../support/faults/small-disk.ts";
import { openRig, type Rig, removeFactory, type ServedAuthinfo } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

/** Specification 6: what a disk has refused is tried again within a minute. */
const AGAIN_MS = 65_000;

/** A new authinfo while the disk refuses everything: announced all the same, and said not to be safe. */
async function expectUnsafe(rig: Rig, generation: number): Promise<void> {
  const refreshed = await rig.refresh();
  expect(refreshed.status).toBe(200);
  expect(refreshed.body).toMatchObject({ generation, persisted: false });
  expect((await rig.get()).body).toMatchObject({ generation, persisted: false, state: "fresh" });
  const status = await rig.status();
  expect(status.authinfo).toMatchObject({ persisted: false });
  expect(status.store).toMatchObject({ dirty: true, problem: { code: "STORE_WRITE" } });
  const writes = await rig.metric("facepay_store_writes_total");
  expect(writes['outcome="failed"']).toBeGreaterThanOrEqual(1);
}

const safe = (rig: Rig, generation: number) =>
  rig.until(
    "the authinfo is safe on the disk",
    async () => {
      const { body } = await rig.get();
      return body.generation === generation && body.persisted === true && (body as unknown as ServedAuthinfo);
    },
    AGAIN_MS,
  );

describe.concurrent("a disk that refuses the write", () => {
  it("holds no authinfo back, and has it as soon as it can be written again", async ({ skip }) => {
    await using rig = await openRig();
    await rig.serve();
    const without = await refuseWrites(rig.agent.pid);
    skip(without !== "", without);
    await expectUnsafe(rig, 2);
    const { events } = rig.events();
    await rig.statusWhere("the warning", ({ warnings }) =>
      warnings.some(({ code }) => code === "AUTHINFO_NOT_PERSISTED"),
    );
    await limitFileSize(rig.agent.pid, "unlimited");
    const { authinfo } = await safe(rig, 2);
    expect(events.at(-1)?.data).toMatchObject({ generation: 2, persisted: true });
    expect((await rig.status()).warnings.map(({ code }) => code)).not.toContain("AUTHINFO_NOT_PERSISTED");
    await rig.payDown();
    await rig.restart();
    expect((await rig.firstAnswer()).body).toMatchObject({ authinfo, generation: 2, persisted: true });
  });

  const ways: [string, (disk: SmallDisk) => Promise<void>, (disk: SmallDisk) => Promise<void>][] = [
    ["is full", (disk) => disk.fill(), (disk) => disk.empty()],
    ["is read-only", (disk) => disk.readOnly(true), (disk) => disk.readOnly(false)],
  ];
  it.for(ways)(
    "because it %s is lived with, over a restart and from the first start on",
    { timeout: 120_000 },
    async ([_what, spoil, fix], { skip }) => {
      await using rig = await openRig();
      await using disk = await disposable(SmallDisk.mount(rig.within("disk")));
      if (disk.reason !== undefined) return skip(disk.reason);
      await rig.configure({ store: { directory: "disk/state" } });
      const first = await rig.serve();
      await spoil(disk.value);
      await expectUnsafe(rig, 2);
      // What was safe before is still there after a power cut.
      await rig.payDown();
      await rig.restart();
      expect((await rig.firstAnswer()).body).toMatchObject({ authinfo: first.authinfo, generation: 1 });
      await rig.payUp();
      const again = await rig.served(({ state, generation }) => state === "fresh" && generation === 1);
      expect(again.persisted).toBe(true);
      await rig.statusWhere("the bridge is ready", ({ bridge }) => bridge?.state === "ready");
      await expectUnsafe(rig, 2);
      await fix(disk.value);
      const { authinfo } = await safe(rig, 2);
      await rig.payDown();
      await rig.restart();
      expect((await rig.firstAnswer()).body).toMatchObject({ authinfo, generation: 2 });
      expect(await readdir(rig.within("disk/state"))).not.toContainEqual(expect.stringMatching(/corrupt|tmp/));
    },
  );
});

/** So that `await using` takes what may be none. */
async function disposable(mounting: Promise<SmallDisk | string>) {
  const mounted = await mounting;
  const none = { reason: String(mounted), async [Symbol.asyncDispose]() {} } as const;
  if (typeof mounted === "string") return none;
  return { reason: undefined, value: mounted, [Symbol.asyncDispose]: () => mounted[Symbol.asyncDispose]() } as const;
}

/** A group of this system that a new file of ours would not have by itself, where we may give files to others. */
async function someGroup(): Promise<{ name: string; gid: number }> {
  const groups = (await readFile("/etc/group", "utf8")).split("\n").map((line) => line.split(":"));
  const own = process.getgid?.() ?? 0;
  const isRoot = process.getuid?.() === 0;
  const found = groups.find(([, , gid]) => gid !== undefined && (Number(gid) !== own) === isRoot);
  return { name: found?.[0] ?? "root", gid: Number(found?.[2] ?? 0) };
}

describe.concurrent("the optional files", () => {
  it("hold what the sockets say, with mode and group, and are never seen half written", async () => {
    const { name, gid } = await someGroup();
    await using rig = await openRig({
      config: {
        file_copy: { path: "run/authinfo.json", mode: "0640", group: name },
        metrics: { textfile: "run/facepay.prom" },
        api: { socket_mode: "0660", socket_group: name, admin_socket_mode: "0600" },
      },
    });
    await rig.serve();
    const copy = rig.within("run/authinfo.json");
    const text = () => readFile(copy, "utf8");
    const copied = await rig.until("the copy", async () => {
      const document = JSON.parse(await text()) as Record<string, unknown>;
      return document.generation === 1 && document.state === "fresh" && document;
    });
    const { body } = await rig.get();
    expect(copied).toEqual({ ...body, remaining_s: copied.remaining_s });
    const found = await stat(copy);
    expect([found.mode & 0o777, found.gid]).toEqual([0o640, gid]);
    const socket = await stat(rig.apiSocket);
    expect([socket.mode & 0o777, socket.gid]).toEqual([0o660, gid]);
    expect((await stat(rig.adminSocket)).mode & 0o777).toBe(0o600);

    // Whoever has the file open goes on reading the old one, whole.
    const old = await open(copy);
    let ended = false;
    const reading = (async () => {
      let reads = 0;
      // A half written file would be no JSON.
      for (; !ended; reads++) JSON.parse(await text());
      return reads;
    })();
    expect((await rig.refresh()).status).toBe(200);
    await rig.until("the new copy", async () => JSON.parse(await text()).generation === 2);
    ended = true;
    expect(await reading).toBeGreaterThan(0);
    expect(JSON.parse(await old.readFile("utf8")).generation).toBe(1);
    await old.close();

    const prom = await rig.until("the metrics", () => readFile(rig.within("run/facepay.prom"), "utf8"));
    expect(prom).toMatch(/^facepay_authinfo_generation [01]$/m);
    rig.saw("metrics textfile", prom);
    expect(await readdir(rig.within("run"))).toEqual(
      expect.arrayContaining(["api.sock", "admin.sock", "authinfo.json", "facepay.prom"]),
    );
    expect(await readdir(rig.within("run"))).toHaveLength(4);
  });

  it("are no reason to stop when they cannot be written", async () => {
    await using rig = await openRig({
      config: { file_copy: { path: "nowhere/authinfo.json" }, metrics: { textfile: "nowhere/facepay.prom" } },
    });
    await rig.serve();
    await rig.until("the log tells of it", async () => rig.agent.logged("FILE_COPY_FAILED").length === 1);
    expect((await rig.refresh()).status).toBe(200);
  });
});

describe.concurrent("a reload", () => {
  it("removes the files that are not wanted any more, and only those", async () => {
    const wanted = { file_copy: { path: "run/authinfo.json" }, metrics: { textfile: "run/facepay.prom" } };
    await using rig = await openRig();
    await rig.configure(wanted);
    await rig.serve();
    const files = async () => (await readdir(rig.within("run"))).filter((name) => !name.endsWith(".sock")).sort();
    await rig.until("both files", async () => (await files()).join() === "authinfo.json,facepay.prom");
    await rig.configure({ ...wanted, file_copy: { path: "run/moved.json" } });
    rig.agent.kill("SIGHUP");
    await rig.until("the copy has moved", async () => (await files()).join() === "facepay.prom,moved.json");
    expect(JSON.parse(await readFile(rig.within("run/moved.json"), "utf8"))).toMatchObject({ generation: 1 });
    await rig.configure({ file_copy: { path: "nowhere/authinfo.json" } });
    rig.agent.kill("SIGHUP");
    await rig.statusWhere("the warning", ({ warnings }) => warnings.some(({ code }) => code === "FILE_COPY_FAILED"));
    await rig.until("no file at all", async () => (await files()).length === 0);
    await rig.configure();
    rig.agent.kill("SIGHUP");
    await rig.statusWhere("its end", ({ warnings }) => warnings.every(({ code }) => code !== "FILE_COPY_FAILED"));
    await rig.configure(wanted);
    rig.agent.kill("SIGHUP");
    await rig.until("both files again", async () => (await files()).join() === "authinfo.json,facepay.prom");
    await rig.until("three removals", async () => rig.agent.logged("OPTIONAL_FILE_REMOVED").length >= 3);
    const gone = rig.agent.logged("OPTIONAL_FILE_REMOVED").map((line) => String(line.path));
    expect(gone.sort()).toEqual(
      ["authinfo.json", "facepay.prom", "moved.json"].map((name) => rig.within(`run/${name}`)),
    );
    // A restart takes nothing away from the apps that read the copy; metrics would go on telling of an agent that has ended.
    expect((await rig.stop()).code).toBe(0);
    expect(await files()).toEqual(["authinfo.json"]);
    // What one that was killed while it wrote would have left behind is cleared away by the next.
    for (const name of ["authinfo.json", "facepay.prom"]) await writeFile(rig.within(`run/${name}.tmp`), '{"auth');
    rig.start();
    await rig.firstAnswer();
    await rig.until("nothing half-made", async () => (await files()).join() === "authinfo.json,facepay.prom");
    expect(JSON.parse(await readFile(rig.within("run/authinfo.json"), "utf8"))).toMatchObject({ state: "fresh" });
  });
});
