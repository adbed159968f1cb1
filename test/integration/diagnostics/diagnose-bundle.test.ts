import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import { unpackArchive } from "../../../agent/diagnostics/report/archive.ts";
import { AgentProcess } from "../../support/fixtures/agent-process.ts";
import { openRig, type Rig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

async function bundle(rig: Rig, file: string) {
  await using run = new AgentProcess([
    "diagnose",
    "--lang",
    "en",
    "--config",
    rig.configFile,
    "--only",
    "cfg.valid",
    "--bundle",
    file,
  ]);
  const { code } = await run.exited;
  rig.saw("diagnose --bundle", run.stdout + run.stderr);
  return { code, stdout: run.stdout, stderr: run.stderr };
}

describe.concurrent("diagnose --bundle", () => {
  it("hands over what is known of a terminal at work, and no secret of it", async () => {
    await using rig = await openRig({ mode: "gateway" });
    const { authinfo } = await rig.serve();
    // Somebody has typed the token where everybody can read it.
    await writeFile(rig.within("state/notes-of-the-technician"), "");
    const file = rig.within("bundle.tar.gz");
    await writeFile(file, "an older one", { mode: 0o644 });
    const { stderr, stdout } = await bundle(rig, file);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const files = await unpackArchive(await readFile(file));
    const text = (name: string) => files.find((each) => each.name.endsWith(`/${name}`))?.content.toString() ?? "";
    const manifest = JSON.parse(text("MANIFEST.json"));
    for (const { name, size, sha256 } of manifest.files) {
      expect(Buffer.byteLength(text(name)), name).toBe(size);
      expect(createHash("sha256").update(text(name)).digest("hex"), name).toBe(sha256);
      // Listed before it is written.
      expect(stderr.indexOf(name)).toBeGreaterThan(-1);
      expect(stderr.indexOf(name)).toBeLessThan(stderr.indexOf("written to"));
    }
    expect(manifest.run_id).toBe(/run (\w{4}-\w{4})/.exec(stdout)?.[1]);
    expect(JSON.parse(text("status.json"))).toMatchObject({ authinfo: { state: "fresh" } });
    const history = JSON.parse(text("history.json"));
    expect(history).toMatchObject({ hours: 24, merged: 0 });
    expect(history.states.at(-1)).toMatchObject({ state: "fresh", generation: 1 });
    expect(history.attempts.at(-1)).toMatchObject({ outcome: "ok", count: 1 });
    expect(history.reads.at(-1).count).toBeGreaterThan(0);
    expect(text("metrics.prom")).toContain("facepay_authinfo_generation");
    expect(JSON.parse(text("diagnose.json"))).toMatchObject({ schema: "facepay-agent.diagnose/1" });
    expect(JSON.parse(text("store.json")).files).toContainEqual(
      expect.objectContaining({ name: "state.sealed", mode: "600" }),
    );
    expect(JSON.parse(text("config.json"))).toMatchObject({ kind: "ok" });
    // No systemd here: noted, not forgotten.
    expect(manifest.missing.map(({ name }: { name: string }) => name)).toContain("journal.jsonl");
    const everything = files.map(({ content }) => content.toString("latin1")).join("\n");
    expect(rig.canaries.in(everything)).toEqual([]);
    expect(everything).not.toContain(authinfo.slice(0, 8));
  });

  it("works without an agent and with a configuration that is not valid, in which a secret stands by mistake", async () => {
    await using rig = await openRig();
    await writeFile(
      rig.configFile,
      '[wechatpay]\nbearer_token = "never-to-be-seen-0001"\n[driver.init]\npasswd = "never-to-be-seen-0002"\n',
    );
    const file = rig.within("bundle.tar.gz");
    expect((await bundle(rig, file)).code).toBe(1);
    const files = await unpackArchive(await readFile(file));
    expect(files.map(({ content }) => content.toString("latin1")).join("\n")).not.toContain("never-to-be-seen");
  });

  it("leaves nothing behind where it cannot be written", async () => {
    await using rig = await openRig();
    const place = rig.within("place");
    await mkdir(`${place}/bundle.tar.gz`, { recursive: true });
    const { code, stderr } = await bundle(rig, `${place}/bundle.tar.gz`);
    expect(code).toBe(4);
    expect(stderr).toContain("cannot write");
    expect(await readdir(place)).toEqual(["bundle.tar.gz"]);
    expect((await bundle(rig, `${place}/nowhere/b.tar.gz`)).stderr).toContain("ENOENT");
  });
});
