import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { launcher } from "../../support/fixtures/agent-process.ts";
import { openRig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

/** This Node says that it is an old one: the launcher then hands over to the pinned one, as on a terminal with Node 20. */
const old =
  'data:text/javascript,Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.19.0" } })';

function onOldNode(program: string, args: readonly string[]): ChildProcess {
  const env = { PATH: process.env.PATH ?? "", LANG: "C.UTF-8" };
  return spawn(process.execPath, ["--import", old, program, ...args], { stdio: "ignore", env });
}

describe("a launcher that has handed over to the pinned Node", () => {
  it.each([
    ["scripts/facepay-agent.js", []],
    ["scripts/bootstrap.js", ["scripts/facepay-agent.js"]],
  ])(
    "%s takes the agent with it when it is killed, and leaves the directory to the next one",
    async (program, first) => {
      await using rig = await openRig();
      const root = path.dirname(path.dirname(launcher));
      const started = onOldNode(path.join(root, program), [...first, "run", "--config", rig.configFile]);
      const ended = once(started, "exit");
      const { pid } = await rig
        .statusWhere("it serves", ({ authinfo }) => authinfo.state === "fresh")
        .then(() => heldBy(rig));
      expect(pid).not.toBe(started.pid);
      started.kill("SIGKILL");
      await ended;
      await rig.until("the agent has gone", async () => (await heldBy(rig)).pid === undefined);
      // The next one gets the directory, and what was kept in it.
      await rig.serve();
      expect((await rig.get()).body).toMatchObject({ state: "fresh" });
    },
  );

  it("takes it along even when it has died before the agent could listen to that", async () => {
    const env = { PATH: process.env.PATH ?? "", LAUNCHER_HANDED_OVER: "1" };
    const started = spawn(process.execPath, [launcher, "--version"], { stdio: "ignore", env });
    expect(await once(started, "exit")).toEqual([null, "SIGTERM"]);
  });

  it("passes SIGTERM on, and ends with the agent's own exit code", async () => {
    await using rig = await openRig();
    const started = onOldNode(launcher, ["run", "--config", rig.configFile]);
    const ended = once(started, "exit");
    await rig.statusWhere("it serves", ({ authinfo }) => authinfo.state === "fresh");
    started.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  });
});

/** Who holds the state directory, by the name of the lock: the agent itself removes it when it ends in order. */
async function heldBy(rig: { within(name: string): string }): Promise<{ readonly pid: number | undefined }> {
  const names = await readdir(rig.within("state"));
  const found = names.map((name) => /^lock\.[0-9a-f]{16}\.(\d+)$/.exec(name)?.[1]).find((pid) => pid !== undefined);
  return { pid: found === undefined ? undefined : Number(found) };
}
