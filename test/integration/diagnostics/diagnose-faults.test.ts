import { randomBytes } from "node:crypto";
import {
  appendFile,
  chmod,
  chown,
  cp,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../agent/common/clock.ts";
import { diagnosed } from "../../support/checks/diagnosed.ts";
import { noOtherUsers, programForAll } from "../../support/children/as-user.ts";
import { startChild } from "../../support/children/child.ts";
import { SmallDisk } from "../../support/faults/small-disk.ts";
import { ask } from "../../support/fixtures/api-fixture.ts";
import { removeFactory } from "../../support/fixtures/running-agent.ts";
import { type Diagnosis, execute, openShop, type Shop } from "../../support/fixtures/shop.ts";

afterAll(removeFactory);

const DAY_MS = 86_400_000;
const asRoot = process.getuid?.() === 0;
const ONLY_ROOT = "only root may make this fault";

/** Made for real; returns why it cannot be made here, if so, and what has to be undone. */
type Make = (shop: Shop) => Promise<unknown>;

interface Fault {
  readonly name: string;
  readonly id: string;
  readonly make: Make;
  /** What has to stand on the screen besides. */
  readonly says?: string;
}

const edit = async (file: string, change: (text: string) => string) => {
  await writeFile(file, change(await readFile(file, "utf8")));
};
const setting = (shop: Shop, key: string, value: string) =>
  edit(shop.within("config.toml"), (text) => text.replace(new RegExp(`^${key} = .*$`, "m"), `${key} = ${value}`));

/** The technician turns to the right thing first, whatever the language. */
function expectFirst(diagnosis: Diagnosis, id: string, says?: string): void {
  const { firstFailure, report, exit } = diagnosis;
  expect({ id: firstFailure?.id, detail: firstFailure?.detail.en }).toMatchObject({ id });
  expect(report.first).toBe(id);
  expect(exit).toBe(1);
  const name = `${firstFailure?.code} ${id}`;
  for (const language of ["zh-CN", "en"] as const) {
    const screen = diagnosis.screen(language);
    const last = screen.slice(screen.lastIndexOf("\n\n")).replaceAll(/\s+/g, " ");
    expect(last).toContain(`[${name}]`);
    expect(last).toContain(`--only ${id}`);
    if (language === "zh-CN") expect(last).toMatch(/先处理/);
    else expect(last).toMatch(/^ Do this first/);
    // A command is whole, however long.
    const lines = screen.split("\n").filter((line) => !/^ {2,4}\S/.test(line));
    for (const line of lines) expect(columnsOf(line), line).toBeLessThanOrEqual(80);
  }
  if (says !== undefined) expect(diagnosis.screen("en").replaceAll(/\s+/g, " ")).toContain(says);
}

/** Faults in the files of a terminal whose agent is dead. */
const inFiles: readonly Fault[] = [
  { name: "a key that others may read", id: "key.file", make: (shop) => chmod(shop.within("merchant-key.pem"), 0o644) },
  {
    name: "a key that is a link",
    id: "key.file",
    async make(shop) {
      await rename(shop.within("merchant-key.pem"), shop.within("elsewhere.pem"));
      await symlink(shop.within("elsewhere.pem"), shop.within("merchant-key.pem"));
    },
  },
  { name: "a key that is missing", id: "key.file", make: (shop) => unlink(shop.within("merchant-key.pem")) },
  {
    name: "a key that is cut off",
    id: "key.file",
    make: (shop) => edit(shop.within("merchant-key.pem"), (text) => text.slice(0, 700)),
  },
  {
    name: "a key in a directory where others may write",
    id: "key.file",
    async make(shop) {
      await mkdir(shop.within("keys"));
      await cp(shop.within("merchant-key.pem"), shop.within("keys/merchant-key.pem"));
      await chmod(shop.within("keys"), 0o777);
      await setting(shop, "merchant_private_key_file", '"keys/merchant-key.pem"');
    },
  },
  {
    name: "a key that does not fit its serial number",
    id: "key.match",
    async make(shop) {
      await writeFile(shop.within("apiclient_cert.pem"), shop.rig.playground.client.certPem);
    },
  },
  {
    name: "a configuration that is no TOML",
    id: "cfg.valid",
    make: (shop) => appendFile(shop.within("config.toml"), "\n[wechatpay\n"),
    says: "config.toml:",
  },
  {
    name: "an unknown key in the configuration",
    id: "cfg.valid",
    make: (shop) => edit(shop.within("config.toml"), (text) => text.replace("sub_mchid", "sub_mch_id")),
  },
  { name: "no configuration", id: "cfg.valid", make: (shop) => unlink(shop.within("config.toml")) },
  {
    name: "a configuration that others may write",
    id: "cfg.perms",
    make: (shop) => chmod(shop.within("config.toml"), 0o666),
  },
  {
    name: "a flipped bit in the kept state",
    id: "store.read",
    async make(shop) {
      const file = shop.within("state/state.sealed");
      const bytes = await readFile(file);
      const at = bytes.length - 40;
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      await writeFile(file, bytes);
      await rm(shop.within("state/state.prev.sealed"), { force: true });
    },
    says: "damaged or changed",
  },
  { name: "a lost key of the seal", id: "store.read", make: (shop) => unlink(shop.within("state/store.key")) },
  {
    name: "another key of the seal",
    id: "store.read",
    make: (shop) => writeFile(shop.within("state/store.key"), randomBytes(32)),
    says: "sealed with another key",
  },
  {
    name: "a key of the seal that others may read",
    id: "store.read",
    make: (shop) => chmod(shop.within("state/store.key"), 0o644),
    says: "Run: chmod 0600",
  },
  {
    name: "a key of the seal that is cut short",
    id: "store.read",
    make: (shop) => writeFile(shop.within("state/store.key"), "12345"),
    says: "Restore the former key",
  },
  { name: "a state directory open to others", id: "store.read", make: (shop) => chmod(shop.within("state"), 0o777) },
  {
    name: "a file in place of the state directory",
    id: "store.read",
    async make(shop) {
      await rm(shop.within("state"), { recursive: true });
      await writeFile(shop.within("state"), "");
    },
  },
  {
    name: "a disk that is full",
    id: "disk.free",
    async make(shop) {
      const disk = await onSmallDisk(shop);
      if (typeof disk !== "string") await disk.fill();
      return disk;
    },
  },
  {
    name: "a disk that has become read-only",
    id: "disk.readonly",
    async make(shop) {
      const disk = await onSmallDisk(shop);
      if (typeof disk !== "string") await disk.readOnly(true);
      return disk;
    },
  },
  {
    name: "a directory in which nothing can be made",
    id: "store.write",
    async make(shop) {
      const why = await execute("chattr", ["+i", shop.within("state")]).then(() => undefined, String);
      if (why !== undefined) return `chattr +i does not work here: ${why}`;
      return { [Symbol.asyncDispose]: async () => void (await execute("chattr", ["-i", shop.within("state")])) };
    },
  },
];

/** The state on a tmpfs of its own. */
async function onSmallDisk(shop: Shop): Promise<SmallDisk | string> {
  await rename(shop.within("state"), shop.within("state.before"));
  const disk = await SmallDisk.mount(shop.within("state"));
  if (typeof disk === "string") return disk;
  await chmod(disk.directory, 0o700);
  for (const name of await readdir(shop.within("state.before"))) {
    await cp(shop.within(`state.before/${name}`), shop.within(`state/${name}`));
  }
  return disk;
}

describe("a terminal whose agent is dead", () => {
  let original: Shop;
  beforeAll(async () => {
    original = await openShop({ agent: "dead" });
  });
  afterAll(async () => {
    await original[Symbol.asyncDispose]();
  });

  it("has no other failure while nothing else is wrong, is told to start it, and stays as it was", async () => {
    await using shop = await original.copy();
    const before = await contents(shop);
    const diagnosis = await shop.diagnose();
    const failed = diagnosis.report.checks.filter(({ status }) => status === "fail" || status === "crash");
    expect(failed.map(({ id }) => id)).toEqual(["pay.authinfo"]);
    const start = `facepay-agent run --config ${shop.within("config.toml")}`;
    expectFirst(diagnosis, "pay.authinfo", "the agent is not running");
    expect(diagnosis.report.advice.en).toContain(`Start the agent:\n  ${start}\n`);
    expect(diagnosis.report.advice.zh).toContain(`请启动服务：\n  ${start}\n`);
    expect(diagnosis.report).toMatchObject({ agent: "absent" });
    expect(diagnosis.check("svc.running")).toMatchObject({ status: "skip" });
    expect(diagnosis.check("api.socket")).toMatchObject({ status: "skip" });
    expect(diagnosis.check("store.read")).toMatchObject({ status: "pass" });
    expect(diagnosis.check("store.write")).toMatchObject({ status: "pass" });
    expect(await contents(shop)).toBe(before);
  });

  it("is told that its clock is behind the last signature of WeChat Pay's", async () => {
    await using shop = await original.copy();
    const hourAgo = { ...systemClock(), wall: () => Date.now() - 3_600_000 };
    const found = await diagnosed(shop.within("config.toml"), { only: ["time.rtc"], clock: hourAgo });
    expect(found.of("time.rtc")).toMatchObject({ status: "fail", value: { behind_s: expect.any(Number) } });
    expect((await diagnosed(shop.within("config.toml"), { only: ["time.rtc"] })).of("time.rtc").status).not.toBe(
      "fail",
    );
  });

  it("stays as it was when diagnose is killed at any moment", async () => {
    await using shop = await original.copy();
    const before = await contents(shop);
    for (const seconds of ["0.25", "0.35", "0.5"]) {
      const words = ["-s", "KILL", seconds, process.execPath, "scripts/facepay-agent.js", "diagnose"];
      const args = [...words, "--config", shop.within("config.toml"), "--only", "store.write"];
      // Killed: that is what it rejects with.
      await execute("timeout", args).catch(() => undefined);
      expect(await contents(shop)).toBe(before);
    }
  });

  it.for(inFiles)("is told first of $name", async ({ id, make, says }, { skip }) => {
    await using shop = await original.copy();
    const made = await make(shop);
    if (typeof made === "string") return skip(made);
    try {
      expectFirst(await shop.diagnose(), id, says);
    } finally {
      await undo(made);
    }
  });

  it("is told to start the agent, too, when something else has to be fixed first", async () => {
    await using shop = await original.copy();
    for (const name of ["state.sealed", "state.prev.sealed"]) await writeFile(shop.within(`state/${name}`), "cut");
    const diagnosis = await shop.diagnose();
    expectFirst(diagnosis, "store.read");
    const start = `facepay-agent run --config ${shop.within("config.toml")}`;
    expect(diagnosis.report.advice.zh).toContain(`\n然后执行：\n  ${start}\n  facepay-agent diagnose`);
    expect(diagnosis.report.advice.en).toContain(`\nThen run:\n  ${start}\n  facepay-agent diagnose`);
  });

  it("is told that a damaged state is replaced by the one before, as a warning", async () => {
    await using shop = await original.copy();
    await cp(shop.within("state/state.sealed"), shop.within("state/state.prev.sealed"));
    await writeFile(shop.within("state/state.sealed"), "cut");
    expect((await shop.diagnose(["--only", "store.read"])).check("store.read")).toMatchObject({ status: "warn" });
    // And of the older one, which nobody would miss before it is needed.
    await cp(shop.within("state/state.prev.sealed"), shop.within("state/state.sealed"));
    await writeFile(shop.within("state/state.prev.sealed"), "cut");
    const { check } = await shop.diagnose(["--only", "store.read"]);
    expect(check("store.read")).toMatchObject({
      status: "warn",
      detail: { en: expect.stringContaining("state.prev.sealed") },
    });
  });

  it("judges files with the rights of the service's user, not with root's", async ({ skip }) => {
    if (!asRoot) return skip(ONLY_ROOT);
    await using shop = await original.copy();
    // As after an installation: everything is the service's, and then somebody has put a key there as root.
    await execute("chown", ["-R", "1:1", shop.directory]);
    await chown(shop.within("config.toml"), 0, 1);
    expect((await shop.diagnose()).report.service_user).toBe("daemon");
    expect((await shop.diagnose(["--only", "key.file,store.read"])).exit).toBe(0);
    await chown(shop.within("merchant-key.pem"), 0, 0);
    expectFirst(await shop.diagnose(), "key.file", "the user daemon cannot read");
    await chown(shop.within("merchant-key.pem"), 1, 1);
    await chown(shop.within("config.toml"), 0, 0);
    expectFirst(await shop.diagnose(), "cfg.valid", "the user daemon cannot read");
  });

  it("is not accused by a technician who has no rights", async ({ skip }) => {
    if (noOtherUsers !== undefined) return skip(noOtherUsers);
    await using everybodys = await programForAll();
    await using shop = await original.copy();
    const { node, program } = everybodys;
    const words = ["--reuid=65534", "--regid=65534", "--clear-groups", node, program];
    const args = [...words, "diagnose", "--json", "--config", shop.within("config.toml")];
    const env = { PATH: process.env.PATH, TZ: "Asia/Shanghai" };
    const { stdout } = await execute("setpriv", args, { env }).catch((error: { stdout: string }) => error);
    const { checks, advice } = JSON.parse(stdout) as Diagnosis["report"];
    const accused = checks.filter(({ status }) => status === "fail" || status === "crash");
    expect(accused).toEqual([]);
    expect(advice.en).toContain("sudo");
  });
});

describe("a terminal in gateway mode", () => {
  let original: Shop;
  beforeAll(async () => {
    original = await openShop({ agent: "dead", mode: "gateway" });
  });
  afterAll(async () => {
    await original[Symbol.asyncDispose]();
  });

  const certificate = async (shop: Shop, daysLeft: number) => {
    const { ca } = shop.rig.playground;
    const now = Date.now();
    const renewed = await ca.issueClient({ notBefore: now - 60 * DAY_MS, notAfter: now + daysLeft * DAY_MS });
    await writeFile(shop.within("terminal-cert.pem"), renewed.certPem);
    await writeFile(shop.within("terminal-key.pem"), renewed.privateKeyPem);
  };

  it.for([
    ["has expired", -1],
    ["expires within a week", 5],
  ] as const)("is told first of a certificate that %s", async ([, days]) => {
    await using shop = await original.copy();
    await certificate(shop, days);
    expectFirst(await shop.diagnose(), "cert.expiry");
  });

  it("is warned of a certificate that expires within a month", async () => {
    await using shop = await original.copy();
    await certificate(shop, 20);
    expect((await shop.diagnose(["--only", "306"])).check("cert.expiry")).toMatchObject({ status: "warn" });
  });

  it("is told first of a key that does not belong to the certificate", async () => {
    await using shop = await original.copy();
    await writeFile(shop.within("terminal-key.pem"), shop.rig.playground.merchant.privateKeyPem);
    expectFirst(await shop.diagnose(), "key.match");
  });
});

describe("a terminal whose agent runs", () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop({
      agent: "running",
      // Of a serial line only one can have the port: diagnose must not fight for it.
      line: "serial",
      config: { api: { socket_group: groupOfMine(), socket_mode: "0660" } },
    });
  });
  afterAll(async () => {
    await shop[Symbol.asyncDispose]();
  });

  it("has no failure while nothing is wrong, within five seconds", async () => {
    const { report, ms } = await shop.diagnose();
    expect(report.checks.filter(({ status }) => status === "fail" || status === "crash")).toEqual([]);
    expect(report.agent).toBe("running");
    console.info(`diagnose on a healthy terminal: ${Math.round(ms)} ms`);
    // Of the report's own: the start of a process on a busy machine is not what is promised.
    expect(report.duration_ms).toBeLessThan(5_000);
  });

  const whileRunning: readonly Fault[] = [
    {
      name: "a missing socket for the cashier app",
      id: "api.socket",
      make: ({ rig }) => aside(rig.apiSocket),
      says: "api.sock is missing",
    },
    {
      name: "a missing socket for the technician",
      id: "api.socket",
      make: ({ rig }) => aside(rig.adminSocket),
      says: "admin.sock is missing",
    },
    {
      name: "a socket of the wrong group",
      id: "api.socket",
      async make({ rig }) {
        if (!asRoot) return ONLY_ROOT;
        await chown(rig.apiSocket, 0, 1);
        return { [Symbol.asyncDispose]: () => chown(rig.apiSocket, 0, 0) };
      },
    },
    {
      name: "a socket that the cashier app's group may not use",
      id: "api.socket",
      async make({ rig }) {
        await chmod(rig.apiSocket, 0o600);
        return { [Symbol.asyncDispose]: () => chmod(rig.apiSocket, 0o660) };
      },
    },
    {
      name: "an agent that is stopped in its tracks",
      id: "api.socket",
      async make({ rig }) {
        rig.agent.kill("SIGSTOP");
        return { [Symbol.asyncDispose]: async () => rig.agent.kill("SIGCONT") };
      },
      says: "does not answer on",
    },
    {
      name: "a program that opens the local interface to the network",
      id: "api.exposed",
      async make({ rig }) {
        const child = startChild("forwarder-child.ts", [rig.apiSocket]);
        await child.line();
        return child;
      },
    },
    {
      name: "a clock that is six minutes slow",
      id: "time.offset",
      async make({ rig }) {
        rig.pay.clockOffsetS = 360;
        return {
          async [Symbol.asyncDispose]() {
            rig.pay.clockOffsetS = 0;
          },
        };
      },
      says: "behind WeChat Pay's clock",
    },
  ];

  it.for(whileRunning)("is told first of $name", async ({ id, make, says }, { skip }) => {
    const made = await make(shop);
    if (typeof made === "string") return skip(made);
    try {
      expectFirst(await shop.diagnose(), id, says);
    } finally {
      await undo(made);
    }
  });

  it("is warned of a configuration that is not in force yet", async () => {
    const { rig } = shop;
    const before = await readFile(rig.configFile, "utf8");
    await appendFile(rig.configFile, '\n[log]\nlevel = "warn"\n');
    try {
      const { check } = await shop.diagnose(["--only", "cfg.valid"]);
      expect(check("cfg.valid")).toMatchObject({
        status: "warn",
        remedy: { en: expect.stringMatching(/reload the configuration:\n {2}kill -HUP \d+$/) },
      });
    } finally {
      await writeFile(rig.configFile, before);
    }
  });

  it("is told of a cashier app whose requests are refused", async () => {
    const { rig } = shop;
    for (let n = 0; n < 3; n++)
      await ask(rig.apiSocket, "GET", "/v1/authinfo", { headers: { Origin: "https://shop.example" } });
    const { check } = await shop.diagnose(["--only", "api.client"]);
    expect(check("api.client")).toMatchObject({ status: "warn", value: { denied: 3 } });
  });

  it("is told of a bridge that belongs to another device id", async () => {
    const { rig } = shop;
    await rig.configure({ identity: { device_id: "ANOTHER-DEVICE" }, driver: { path: rig.within("ttyFACEPAY") } });
    await chmod(rig.configFile, 0o640);
    rig.agent.kill("SIGHUP");
    await rig.statusWhere("the mismatch", ({ last_error }) => last_error?.code === "DEVICE_ID_MISMATCH");
    expectFirst(await shop.diagnose(), "cfg.identity");
  });
});

async function undo(made: unknown): Promise<void> {
  if (typeof made === "object" && made !== null && Symbol.asyncDispose in made)
    await (made as AsyncDisposable)[Symbol.asyncDispose]();
}

/** A Chinese character takes two. */
function columnsOf(line: string): number {
  return [...line].reduce((sum, character) => sum + (character >= "\u2e80" ? 2 : 1), 0);
}

/** Renamed, so that the agent does not notice: it only looks whether another one stands in its place. */
async function aside(file: string): Promise<AsyncDisposable> {
  await rename(file, `${file}.aside`);
  return { [Symbol.asyncDispose]: () => rename(`${file}.aside`, file) };
}

function groupOfMine(): string {
  return String(process.getgid?.() ?? 0);
}

/** Names, times, modes and content of everything in the terminal's directory. */
async function contents(shop: Shop): Promise<string> {
  const command = "find . -printf '%p %T@ %C@ %m %s\n' | sort; find . -type f -exec sha256sum {} + | sort";
  const { stdout } = await execute("sh", ["-c", command], { cwd: shop.directory });
  return stdout;
}

it("an agent that has lost its lock with its directory is not to be stopped; why nothing is written comes first", async () => {
  await using shop = await openShop({ agent: "running", line: "serial" });
  await rm(shop.within("state"), { recursive: true });
  await ask(shop.rig.adminSocket, "POST", "/v1/authinfo/refresh");
  const diagnosis = await shop.diagnose();
  expectFirst(diagnosis, "store.write", "has been removed: restart the service");
  expect(diagnosis.check("ser.busy").status).toBe("pass");
});
