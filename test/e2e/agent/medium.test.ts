import { execFileSync } from "node:child_process";
import { chmod, chown, cp, lstat, mkdir, readdir, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { noOtherUsers, programForAll } from "../../support/children/as-user.ts";
import { AgentProcess } from "../../support/fixtures/agent-process.ts";
import { openRig, type Rig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

/** Every file that an agent reads from its state directory. */
const FILES = ["state.sealed", "state.prev.sealed", "store.key", "config.remembered.json"];
const NOBODY = 65_534;
const isRoot = process.geteuid?.() === 0;

/** What may stand in the place of a file. Each is put there in place of all four at once. */
const strangers: Readonly<Record<string, (file: string) => Promise<unknown> | unknown>> = {
  "a FIFO": async (file) => {
    await rm(file);
    execFileSync("mkfifo", [file]);
  },
  "a directory that is not empty": async (file) => {
    await rm(file);
    await mkdir(path.join(file, "full"), { recursive: true });
  },
  "a link to itself": async (file) => {
    await rm(file);
    await symlink(file, file);
  },
  "a link to an endless device": async (file) => {
    await rm(file);
    await symlink("/dev/zero", file);
  },
  "1 GiB": (file) => truncate(file, 2 ** 30),
  nothing: (file) => truncate(file, 0),
  zeros: async (file) => writeFile(file, Buffer.alloc((await lstat(file)).size)),
  ones: async (file) => writeFile(file, Buffer.alloc((await lstat(file)).size, 0xff)),
  ...(isRoot
    ? {
        "an endless device": async (file: string) => {
          await rm(file);
          execFileSync("mknod", [file, "c", "1", "5"]);
        },
      }
    : {}),
};

/** Why no file can be made immutable here; undefined when one can. */
function noAttributes(directory: string): string | undefined {
  try {
    execFileSync("chattr", ["+i", directory], { stdio: "ignore" });
    execFileSync("chattr", ["-i", directory], { stdio: "ignore" });
    return undefined;
  } catch {
    return "immutable files need root and a file system with attributes (chattr)";
  }
}

describe("a state directory that has become immutable", () => {
  it("yields what is kept, told as not persisted, with the cause and its remedy, until it takes writes again", async ({
    skip,
  }) => {
    await using rig = await closedTerminal();
    const lack = noAttributes(rig.stateDirectory);
    if (lack !== undefined) skip(lack);
    await rig.payDown();
    execFileSync("chattr", ["-R", "+i", rig.stateDirectory]);
    try {
      rig.start();
      const { status, body } = await rig.firstAnswer();
      expect([status, body.generation, body.persisted]).toEqual([200, 2, false]);
      const { store } = await rig.statusWhere("the refused write", (told) => told.store?.problem !== null);
      expect(store?.problem).toMatchObject({ code: "STORE_WRITE", params: { errno: "EPERM" } });
      await using screen = new AgentProcess(["status", "--config", rig.configFile, "--lang", "both"]);
      await screen.exited;
      expect(screen.stdout).toContain(`chattr -R -i -a ${rig.stateDirectory}`);
      expect(screen.stdout).not.toMatch(/free space|磁盘空间/);
    } finally {
      execFileSync("chattr", ["-R", "-i", rig.stateDirectory]);
    }
    await rig.until("it is persisted", async () => (await rig.get()).body.persisted === true, 120_000);
  });
});

/** A terminal with two generations on its disk, and no agent. */
async function closedTerminal(): Promise<Rig> {
  const rig = await openRig();
  await rig.serve();
  await rig.refresh();
  await rig.served(({ generation, persisted }) => generation === 2 && persisted);
  await rig.until("all files", async () => {
    const names = await readdir(rig.stateDirectory);
    return FILES.every((name) => names.includes(name));
  });
  await rig.stop();
  return rig;
}

/** False where this system does not let us: mknod(2) is not allowed in every container. */
async function putInPlaceOfAll(rig: Rig, put: (file: string) => unknown): Promise<boolean> {
  for (const name of FILES) {
    try {
      await put(path.join(rig.stateDirectory, name));
    } catch (error) {
      if (String(error).includes("mknod")) return false;
      throw error;
    }
  }
  return true;
}

it("starts, gets an authinfo and serves it, whatever stands in the place of every file of its state", async () => {
  await using rig = await closedTerminal();
  const sound = rig.within("sound");
  await cp(rig.stateDirectory, sound, { recursive: true });
  for (const [what, put] of Object.entries(strangers)) {
    await rm(rig.stateDirectory, { recursive: true });
    await cp(sound, rig.stateDirectory, { recursive: true });
    if (!(await putInPlaceOfAll(rig, put))) continue;
    rig.start();
    await rig.firstAnswer();
    await rig.served(({ state }) => state === "fresh");
    // A key file that is none stays for a person to look at; until then memory serves, and says so.
    const { store } = await rig.status();
    if (store?.dirty) expect(JSON.stringify(store), what).toMatch(/KEY_FILE|STORE_WRITE/);
    expect((await rig.stop()).code, what).toBe(0);
  }
});

describe("state files of another mode or owner", () => {
  it("open to all are read, for their seal is what counts, and closed with the next write", async () => {
    await using rig = await closedTerminal();
    for (const name of ["state.sealed", "state.prev.sealed"]) await chmod(path.join(rig.stateDirectory, name), 0o644);
    rig.start();
    expect((await rig.firstAnswer()).body).toMatchObject({ generation: 2 });
    await rig.statusWhere("the bridge is ready", ({ bridge }) => bridge?.state === "ready");
    await rig.refresh();
    await rig.served(({ generation, persisted }) => generation === 3 && persisted);
    expect((await lstat(path.join(rig.stateDirectory, "state.sealed"))).mode & 0o777).toBe(0o600);
  });

  it("that the agent's user may not open are moved aside, and it starts", async ({ skip }) => {
    skip(noOtherUsers !== undefined, noOtherUsers);
    await using program = await programForAll();
    await using rig = await closedTerminal();
    execFileSync("chown", ["-R", `${NOBODY}:${NOBODY}`, rig.directory]);
    for (const name of ["state.sealed", "state.prev.sealed"]) {
      const file = path.join(rig.stateDirectory, name);
      // One that is another user's, one that is closed to everyone.
      if (name === "state.sealed") await chown(file, 0, 0);
      else await chmod(file, 0);
    }
    rig.start({ user: NOBODY, ...program });
    const { status, body } = await rig.firstAnswer();
    expect([status, body.code ?? body.state]).not.toEqual([200, "stale"]);
    await rig.served(({ state, persisted }) => state === "fresh" && persisted);
    const names = await readdir(rig.stateDirectory);
    expect(names.filter((name) => name.startsWith("state.corrupt-"))).toHaveLength(2);
    expect((await rig.stop()).code).toBe(0);
  });

  it("whose key belongs to another user are left alone: memory serves until the key is given back", async ({
    skip,
  }) => {
    skip(noOtherUsers !== undefined, noOtherUsers);
    await using program = await programForAll();
    await using rig = await closedTerminal();
    execFileSync("chown", ["-R", `${NOBODY}:${NOBODY}`, rig.directory]);
    const key = path.join(rig.stateDirectory, "store.key");
    await chown(key, 0, 0);
    rig.start({ user: NOBODY, ...program });
    await rig.served(({ state, persisted }) => state === "fresh" && !persisted);
    expect(await readdir(rig.stateDirectory)).toEqual(expect.arrayContaining(["state.sealed", "state.prev.sealed"]));
    expect((await rig.status()).store).toMatchObject({ problem: { detail: expect.stringContaining("store.key") } });
    await rig.stop();
    await chown(key, NOBODY, NOBODY);
    await rig.payDown();
    rig.start({ user: NOBODY, ...program });
    expect((await rig.firstAnswer()).body).toMatchObject({ generation: 2 });
  });

  it("whose directory has been exchanged for another one's is no reason to hang", async () => {
    await using rig = await closedTerminal();
    await rename(rig.stateDirectory, `${rig.stateDirectory}.real`);
    execFileSync("mkfifo", [rig.stateDirectory]);
    rig.start();
    const { code } = await rig.agent.exited;
    expect(code).toBe(78);
    expect(rig.agent.stderr).toContain("is not a directory");
  });
});
