import { chmod, chown, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { AgentProcess } from "../../support/fixtures/agent-process.ts";
import { openRig, type Rig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const isRoot = process.geteuid?.() === 0;
const STRANGER = 12_345;

async function check(rig: Rig, lang: string) {
  await using command = new AgentProcess(["config", "check", "--config", rig.configFile, "--lang", lang]);
  const { code } = await command.exited;
  return { code, text: command.stdout };
}

/** Who may change it decides whom the agent trusts. Each of these alone. */
const faults: readonly {
  what: string;
  root?: boolean;
  make: (rig: Rig) => Promise<unknown>;
  says: (rig: Rig) => string;
}[] = [
  {
    what: "a main file open to all",
    make: (rig) => chmod(rig.configFile, 0o666),
    says: (rig) => `chmod go-w ${rig.configFile}`,
  },
  {
    what: "a main file open to its group",
    make: (rig) => chmod(rig.configFile, 0o664),
    says: (rig) => `chmod go-w ${rig.configFile}`,
  },
  {
    what: "a main file of another user",
    root: true,
    make: (rig) => chown(rig.configFile, STRANGER, STRANGER),
    says: (rig) => rig.configFile,
  },
  {
    what: "a directory of drop-ins open to all, though it is empty",
    make: async (rig) => {
      await mkdir(rig.within("config.d"));
      await chmod(rig.within("config.d"), 0o777);
    },
    says: (rig) => `chmod go-w ${rig.within("config.d")}`,
  },
  {
    what: "a drop-in of another user",
    root: true,
    make: async (rig) => {
      await mkdir(rig.within("config.d"));
      await writeFile(rig.within("config.d/10-evil.toml"), '[log]\nlevel = "debug"\n');
      await chown(rig.within("config.d/10-evil.toml"), STRANGER, STRANGER);
    },
    says: (rig) => rig.within("config.d/10-evil.toml"),
  },
  {
    what: "an authority open to its group",
    make: (rig) => chmod(rig.within("ca.pem"), 0o664),
    says: (rig) => `chmod go-w ${rig.within("ca.pem")}`,
  },
  {
    what: "a directory of the sockets open to all",
    make: async (rig) => {
      await mkdir(rig.within("run"), { recursive: true });
      await chmod(rig.within("run"), 0o777);
    },
    says: (rig) => `chmod go-w ${rig.within("run")}`,
  },
  {
    what: "a state directory open to its group",
    make: async (rig) => {
      await mkdir(rig.stateDirectory, { recursive: true });
      await chmod(rig.stateDirectory, 0o770);
    },
    says: (rig) => `chmod go-w ${rig.stateDirectory}`,
  },
  {
    what: "a parent of all of them open to its group",
    make: (rig) => chmod(rig.directory, 0o770),
    says: (rig) => `chmod go-w ${rig.directory}`,
  },
];

describe.concurrent("config check and run refuse", () => {
  it.for(faults)("$what, once, with the command in both languages", async ({ root = false, make, says }, { skip }) => {
    skip(root && !isRoot, "only root may give a file to another user");
    await using rig = await openRig({ payDown: true, unplugged: true });
    expect(await check(rig, "en")).toMatchObject({ code: 0 });
    await make(rig);
    for (const lang of ["en", "zh-CN"]) {
      const { code, text } = await check(rig, lang);
      expect(code).toBe(78);
      expect(text).toContain(says(rig));
      expect(text).toMatch(lang === "en" ? /problems \(1\)/ : /问题 \(1\)/);
    }
    const agent = rig.start();
    expect((await agent.exited).code).toBe(78);
    expect(agent.stderr).toContain(says(rig));
  });
});

describe.concurrent("an agent whose configuration others may write", () => {
  const evil = '[wechatpay]\nbase_urls = ["https://127.0.0.1:1"]\n';

  it("goes on with the remembered one after a reload and after a start, and says so until it is closed", async () => {
    await using rig = await openRig();
    const { authinfo } = await rig.serve();
    const hash = (await rig.status()).config?.hash;
    await rig.until("it is remembered", () => check(rig, "en").then(({ code }) => code === 0));
    await mkdir(rig.within("config.d"));
    await chmod(rig.within("config.d"), 0o777);
    await writeFile(rig.within("config.d/10-evil.toml"), evil);
    rig.agent.kill("SIGHUP");
    const refused = await rig.statusWhere("the refusal", ({ warnings }) =>
      warnings.some(({ code }) => code === "CONFIG_RELOAD_REFUSED"),
    );
    expect(refused.config?.hash).toBe(hash);
    expect(refused.warnings.find(({ code }) => code === "CONFIG_RELOAD_REFUSED")?.detail).toContain(
      `chmod go-w ${path.join(rig.directory, "config.d")}`,
    );
    await rig.restart();
    expect((await rig.firstAnswer()).body).toMatchObject({ authinfo });
    const status = await rig.statusWhere("the standing failure", ({ warnings }) =>
      warnings.some(({ code }) => code === "CONFIG_REMEMBERED"),
    );
    expect(status.config).toMatchObject({ hash, source: "remembered" });
    expect((await rig.refresh()).status).toBe(200);
    // Nobody has to tell the agent that the directory has been closed.
    await chmod(rig.within("config.d"), 0o755);
    const fixed = await rig.statusWhere("the file in force", ({ config }) => config?.source === "file");
    expect(fixed.config?.hash).not.toBe(hash);
    expect(fixed.warnings.map(({ code }) => code)).not.toContain("CONFIG_REMEMBERED");
  });

  it("takes it up by itself after a reload that was refused, once the file is closed", async () => {
    await using rig = await openRig();
    await rig.serve();
    await chmod(rig.configFile, 0o666);
    rig.agent.kill("SIGHUP");
    const refused = ({ warnings }: Awaited<ReturnType<Rig["status"]>>) =>
      warnings.some(({ code }) => code === "CONFIG_RELOAD_REFUSED");
    await rig.statusWhere("the refusal", refused);
    await chmod(rig.configFile, 0o640);
    await rig.statusWhere("the reload", (status) => !refused(status));
    expect((await rig.get()).body).toMatchObject({ state: "fresh", generation: 1 });
  });
});
