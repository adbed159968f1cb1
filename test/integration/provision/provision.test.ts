import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { parse } from "smol-toml";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { diagnosed } from "../../support/checks/diagnosed.ts";
import { told } from "../../support/checks/told.ts";
import { AgentProcess, launcher } from "../../support/fixtures/agent-process.ts";

/** The simulators, and what a head office would send a technician for them. */
let simulation: AgentProcess;
let directory: string;
let usb: string;
let url: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "facepay-provision-"));
  usb = path.join(directory, "usb");
  simulation = new AgentProcess(["simulate", "--directory", usb]);
  await vi.waitFor(() => expect(simulation.stdout).toContain("Ctrl-C"), { timeout: 60_000 });
  url = simulated().base_urls[0] ?? "";
});

afterAll(async () => {
  await simulation.stop();
  await rm(directory, { recursive: true });
});

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function provision(target: string, args: readonly string[], input = ""): Promise<Outcome> {
  const child = spawn(process.execPath, [launcher, "provision", "--config", target, "--lang", "en", ...args], {
    env: { PATH: process.env.PATH ?? "", LANG: "C.UTF-8" },
  });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      text[name] += chunk;
    });
  }
  child.stdin.end(input);
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, ...text })));
}

const from = (name: string) => path.join(usb, name);

/** Everything that a technician has in hand; `except` leaves some of it out, or says it otherwise. */
function flags(home: string, except: Record<string, string | undefined> = {}): string[] {
  const all = {
    "identity.sp_mchid": "1900000100",
    "identity.sp_appid": "wxd678efh567hg6787",
    "identity.sub_mchid": "1900000109",
    "identity.sub_appid": "wxa1b2c3d4e5f60718",
    "identity.organization_id": "O004ABC8FZ2023031514461460894a",
    "driver.path": from("ttyFACEPAY"),
    "wechatpay.mode": "direct",
    "wechatpay.accept_key_on_device": "true",
    "wechatpay.base_urls": url,
    "wechatpay.ca_file": from("ca.pem"),
    "wechatpay.public_key_id": "PUB_KEY_ID_0119000001002026060100000000000001",
    "wechatpay.public_key_file": from("wechatpay-public-key.pem"),
    "wechatpay.merchant_serial_no": simulated().merchant_serial_no,
    "wechatpay.merchant_private_key_file": from("merchant-key.pem"),
    "store.directory": path.join(home, "state"),
    "api.socket": path.join(home, "api.sock"),
    "api.admin_socket": path.join(home, "admin.sock"),
    ...except,
  };
  return Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : ["--set", `${key}=${value}`]));
}

/** What the simulators' own configuration says of WeChat Pay. */
function simulated(): { readonly base_urls: readonly string[]; readonly merchant_serial_no: string } {
  return (parse(readFileSync(from("config.toml"), "utf8")) as never as { wechatpay: ReturnType<typeof simulated> })
    .wechatpay;
}

async function terminal(name: string) {
  const home = path.join(directory, name);
  await mkdir(home);
  return { home, target: path.join(home, "config.toml") };
}

const modeOf = async (file: string) => (await stat(file)).mode & 0o777;

describe("facepay-agent provision", () => {
  it("writes a configuration that has been tried, with key files of the right modes, and the agent works with it", async () => {
    const { home, target } = await terminal("works");
    const { code, stdout, stderr } = await provision(target, ["--non-interactive", ...flags(home)]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("bridge simulated-bridge/1.0, device id LTA0P18937F130532000001");
    expect(stdout).toMatch(/511 .*/);
    expect(stdout).toContain("The trial has passed.");
    expect(await modeOf(target)).toBe(0o640);
    expect(await modeOf(path.join(home, "apiclient_key.pem"))).toBe(0o400);
    expect(await modeOf(path.join(home, "pub_key.pem"))).toBe(0o640);
    expect(parse(await readFile(target, "utf8"))).toMatchObject({
      wechatpay: { mode: "direct", merchant_private_key_file: "apiclient_key.pem", ca_file: "ca.pem" },
      driver: { type: "serial", path: from("ttyFACEPAY") },
    });
    expect((await readdir(home)).filter((name) => name.startsWith("."))).toEqual([]);
    await using agent = new AgentProcess(["run", "--config", target]);
    await vi.waitFor(() => expect(agent.logged("AUTHINFO_OBTAINED")).toHaveLength(1), { timeout: 60_000 });
  });

  it("sets up a terminal whose agent has been waiting for a configuration, and once more while it is at work", async () => {
    const { home, target } = await terminal("waiting");
    const places = {
      FACEPAY_STORE_DIRECTORY: path.join(home, "state"),
      FACEPAY_API_SOCKET: path.join(home, "api.sock"),
      FACEPAY_API_ADMIN_SOCKET: path.join(home, "admin.sock"),
    };
    await using agent = new AgentProcess(["run", "--config", target], { env: places });
    await vi.waitFor(() => expect(agent.logged("SERVING")).toHaveLength(1), { timeout: 60_000 });

    const first = await provision(target, ["--non-interactive", ...flags(home)]);
    expect([first.code, first.stderr]).toEqual([0, ""]);
    expect(first.stdout).toMatch(/301 .* valid\n/);
    expect(first.stdout).toMatch(/409 .*device_id LTA0P18937F130532000001/);
    expect(first.stdout).toContain("The trial has passed.");

    agent.kill("SIGHUP");
    await vi.waitFor(() => expect(agent.logged("AUTHINFO_OBTAINED")).toHaveLength(1), { timeout: 60_000 });
    const second = await provision(target, ["--non-interactive", "--set", "identity.sub_mchid=1900000200"]);
    expect(second.stdout).toContain("in use, as a rule by the running agent; the line is kept");
    expect(second.stdout).toMatch(/301 .* valid\n/);
    expect(second.stdout).not.toContain("read it again");
  });

  it("asks for what it is not told, again when an answer cannot be taken, and takes Enter for what is there", async () => {
    const { home, target } = await terminal("asked");
    const answers = ["19x", "1900000100", "wxd678efh567hg6787", "1900000109", "O004ABC8FZ2023031514461460894a"];
    answers.push("wxa1b2c3d4e5f60718");
    const unsaid = ["sp_mchid", "sp_appid", "sub_mchid", "organization_id", "sub_appid"];
    const except = Object.fromEntries(unsaid.map((name) => [`identity.${name}`, undefined]));
    const first = await provision(target, flags(home, except), `${answers.join("\n")}\n`);
    expect([first.code, first.stderr]).toEqual([0, ""]);
    expect(first.stdout).toMatch(/identity\.sp_mchid: .*digits/);
    const written = await readFile(target, "utf8");
    const again = await provision(target, [], "\n".repeat(20));
    expect([again.code, again.stderr]).toEqual([0, ""]);
    expect(again.stdout).toContain("[1900000100]");
    expect(await readFile(target, "utf8")).toBe(written);
  });

  it("changes one value of a configuration and keeps everything else, comments included", async () => {
    const { home, target } = await terminal("again");
    await provision(target, ["--non-interactive", "--no-trial", ...flags(home)]);
    const before = `# our own words\n${await readFile(target, "utf8")}\n[refresh]\nrefresh_at = 0.3 # as agreed\n`;
    await writeFile(target, before);
    const { code } = await provision(target, [
      "--non-interactive",
      "--no-trial",
      "--set",
      "identity.sub_mchid=1900000200",
    ]);
    expect(code).toBe(0);
    const changed = (await readFile(target, "utf8")).split("\n").filter((line) => !before.split("\n").includes(line));
    expect(changed).toEqual([expect.stringMatching(/^sub_mchid = "1900000200"/)]);
  });

  it("keeps nothing when the trial fails, unless it is told to", async () => {
    const { home, target } = await terminal("fails");
    const wrong = ["--non-interactive", ...flags(home, { "wechatpay.base_urls": "https://127.0.0.1:9" })];
    const { code, stdout, stderr } = await provision(target, wrong);
    expect(code).toBe(1);
    expect(stdout).toMatch(/Do this first \[510 pay\.reach\]/);
    expect(stderr).toContain("nothing was written");
    expect(await readdir(home)).toEqual([]);
    const asked = await provision(target, wrong.slice(1), "\n".repeat(30));
    expect([asked.code, await readdir(home)]).toEqual([1, ["config.toml.answers"]]);
    expect(asked.stderr).toContain("the answers are kept");
    expect((await provision(target, [...wrong, "--force"])).code).toBe(0);
    expect(await readdir(home)).toContain("config.toml");
  });

  it("refuses a key that does not fit, in the configuration's own words, and writes nothing", async () => {
    const { home, target } = await terminal("no-key");
    const bad = flags(home, { "wechatpay.merchant_private_key_file": from("ca.pem") });
    const { code, stderr } = await provision(target, ["--non-interactive", ...bad]);
    expect(code).toBe(78);
    expect(stderr).toContain("wechatpay.merchant_private_key_file");
    expect(stderr).not.toContain(".provision.");
    expect(await readdir(home)).toEqual([]);
  });

  it("says all that is missing at once, and what is wrong with a flag", async () => {
    const { home, target } = await terminal("missing");
    const some = flags(home, { "identity.sp_mchid": undefined, "wechatpay.public_key_file": from("nowhere.pem") });
    const missing = await provision(target, ["--non-interactive", ...some]);
    expect(missing.code).toBe(66);
    expect(missing.stderr).toContain("identity.sp_mchid: is missing");
    expect(missing.stderr).toMatch(/wechatpay\.public_key_file: .*nowhere\.pem does not exist/);
    const unknown = await provision(target, ["--set", "identity.sp_mchd=1", "--set", "driver.baud_rate=fast"]);
    expect(unknown.code).toBe(64);
    expect(unknown.stderr).toContain("identity.sp_mchid");
    expect(unknown.stderr).toContain("driver.baud_rate");
    expect(await readdir(home)).toEqual([]);
  });

  it("tries the new configuration, not the one that the agent at work has, and says what the request came to", async () => {
    const { home, target } = await terminal("trial");
    const wrong = flags(home, { "identity.sub_appid": "wx0000000000000000" });
    expect((await provision(target, ["--non-interactive", "--no-trial", ...wrong])).code).toBe(0);
    await using agent = new AgentProcess(["run", "--config", target]);
    await vi.waitFor(() => expect(agent.logged("REFRESH_FAILED").length).toBeGreaterThan(0), { timeout: 60_000 });
    const right = await provision(target, ["--non-interactive", "--set", "identity.sub_appid=wxa1b2c3d4e5f60718"]);
    expect([right.code, right.stderr]).toEqual([0, ""]);
    expect(right.stdout).toMatch(/511 .*an authinfo was obtained with this configuration/);
    agent.kill("SIGHUP");
    await vi.waitFor(() => expect(agent.logged("AUTHINFO_OBTAINED")).toHaveLength(1), { timeout: 60_000 });
    const other = ["--set", "driver.baud_rate=9600", "--set", "driver.parity=even"];
    const line = await provision(target, ["--non-interactive", ...other]);
    const said = line.stdout.replaceAll(/\s+/g, " ");
    expect(said).toContain("passed, but driver.baud_rate, driver.parity could not be tried: the running agent holds");
    // Nor does an agent that works well vouch for a configuration that does not.
    const again = await provision(target, ["--non-interactive", "--set", "identity.sub_appid=wx0000000000000000"]);
    expect(again.code).toBe(1);
    expect(again.stdout).toMatch(/Do this first \[511 pay\.auth\] refused: HTTP 400/);
  });

  it("leaves no copy of a key when it is killed in the trial, and takes away what a former version has left", async () => {
    const { home, target } = await terminal("killed");
    const asked = Promise.withResolvers<void>();
    const deaf = net.createServer((socket) => {
      socket.on("error", () => undefined);
      asked.resolve();
    });
    await new Promise<void>((resolve) => deaf.listen(0, "127.0.0.1", resolve));
    const { port } = deaf.address() as net.AddressInfo;
    const there = flags(home, { "wechatpay.base_urls": `https://127.0.0.1:${port}` });
    const child = spawn(process.execPath, [launcher, "provision", "--config", target, "--non-interactive", ...there], {
      stdio: "ignore",
    });
    const ended = once(child, "exit");
    await asked.promise;
    child.kill("SIGKILL");
    await ended;
    deaf.close();
    expect(await readdir(home)).toEqual([]);
    const leave = async () => {
      const left = path.join(home, ".provision.0123456789abcdef");
      await mkdir(left);
      await writeFile(path.join(left, "apiclient_key.pem"), "a key");
      await writeFile(path.join(home, ".config.0123456789abcdef.tmp"), "half a key");
    };
    const hidden = async () => (await readdir(home)).filter((name) => name.startsWith("."));
    await leave();
    expect(told((await diagnosed(target, { only: ["cfg.perms"] })).of("cfg.perms"))).toMatchObject({
      status: "warn",
      remedy: { en: expect.stringContaining(`rm -r ${home}/.`), zh: expect.stringContaining("请删除") },
    });
    const env = {
      FACEPAY_API_SOCKET: path.join(home, "api.sock"),
      FACEPAY_API_ADMIN_SOCKET: path.join(home, "admin.sock"),
    };
    await using _agent = new AgentProcess(["run", "--config", target], { env });
    await vi.waitFor(async () => expect(await hidden()).toEqual([]), { timeout: 60_000 });
    await leave();
    await provision(target, ["--non-interactive", "--no-trial", ...flags(home)]);
    expect(await hidden()).toEqual([]);
  });

  it("suggests what was answered before nobody answered any more, and forgets it once it is written", async () => {
    const { home, target } = await terminal("gone");
    const unsaid = flags(home, { "identity.sp_mchid": undefined, "identity.sp_appid": undefined });
    const { code, stderr } = await provision(target, unsaid, "1900000100\n");
    expect(code).toBe(1);
    expect(stderr).toContain("the answers are kept");
    expect(await readdir(home)).toEqual(["config.toml.answers"]);
    expect(await modeOf(`${target}.answers`)).toBe(0o400);
    const secret = readFileSync(from("merchant-key.pem"), "utf8").split("\n")[1] ?? "";
    expect(await readFile(`${target}.answers`, "utf8")).not.toContain(secret);
    const again = await provision(target, unsaid, "\nwxd678efh567hg6787\n");
    expect([again.code, again.stderr]).toEqual([0, ""]);
    expect(again.stdout).toContain("what was answered then is suggested");
    expect(again.stdout).toContain("(identity.sp_mchid) [1900000100]");
    expect(await readdir(home)).not.toContain("config.toml.answers");
  });

  it("tries again in place once the cause is fixed", async () => {
    const { home, target } = await terminal("in-place");
    const reserved = net.createServer();
    await new Promise<void>((resolve) => reserved.listen(0, "127.0.0.1", resolve));
    const { port } = reserved.address() as net.AddressInfo;
    await new Promise((resolve) => reserved.close(resolve));
    const args = [
      "--config",
      target,
      "--lang",
      "en",
      ...flags(home, { "wechatpay.base_urls": `https://127.0.0.1:${port}` }),
    ];
    const child = spawn(process.execPath, [launcher, "provision", ...args], { stdio: ["pipe", "pipe", "ignore"] });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const ended = once(child, "exit");
    await vi.waitFor(() => expect(said).toContain("Type r to try again"), { timeout: 60_000 });
    expect(said).toMatch(/Do this first \[510 pay\.reach\]/);
    const way = net.createServer((socket) => {
      const to = net.connect(Number(new URL(url).port), "127.0.0.1");
      for (const end of [socket, to]) end.on("error", () => end.destroy());
      socket.pipe(to).pipe(socket);
    });
    await new Promise<void>((resolve) => way.listen(port, "127.0.0.1", resolve));
    child.stdin.write("r\n");
    expect(await ended).toEqual([0, null]);
    way.close();
    expect(said).toContain("The trial has passed.");
    expect(await readdir(home)).toContain("config.toml");
  });

  it("takes a file of head office's for answers, and says what in it is no key", async () => {
    const { home, target } = await terminal("from");
    const unsaid = ["identity.sp_mchid", "wechatpay.public_key_file", "wechatpay.merchant_private_key_file"];
    const rest = flags(home, Object.fromEntries(unsaid.map((key) => [key, undefined])));
    const file = from("answers.toml");
    const text = (more = "") =>
      `[identity]\nsp_mchid = "1900000100"\nsub_mchid = "1"\n${more}\n[wechatpay]\npublic_key_file = "wechatpay-public-key.pem"\nmerchant_private_key_file = "merchant-key.pem"\n`;
    await writeFile(file, text('sub_mch_id = "2"'));
    const wrong = await provision(target, ["--non-interactive", "--from", file, ...rest]);
    expect([wrong.code, wrong.stderr]).toEqual([
      64,
      "identity.sub_mch_id: is no key; the nearest is identity.sub_mchid\n",
    ]);
    await writeFile(file, text());
    const { code, stderr } = await provision(target, ["--non-interactive", "--from", file, ...rest]);
    expect([code, stderr]).toEqual([0, ""]);
    // What is typed is the last word; the keys have been taken in.
    expect(parse(await readFile(target, "utf8"))).toMatchObject({
      identity: { sp_mchid: "1900000100", sub_mchid: "1900000109" },
      wechatpay: { merchant_private_key_file: "apiclient_key.pem", public_key_file: "pub_key.pem" },
    });
    const missing = await provision(target, ["--non-interactive", "--from", from("none.toml")]);
    expect([missing.code, missing.stderr]).toEqual([64, expect.stringContaining("cannot be read (ENOENT)")]);
  });

  it("sets a terminal up with what simulate has prepared for the service's user", async ({ skip }) => {
    if (process.getuid?.() !== 0) return skip("only root may give files away");
    const { home, target } = await terminal("for-service");
    const prepared = path.join(directory, "for-service-usb");
    await using stand = new AgentProcess(["simulate", "--lang", "en", "--directory", prepared, "--user", "daemon"]);
    await vi.waitFor(() => expect(stand.stdout).toContain("Ctrl-C"), { timeout: 60_000 });
    const answers = path.join(prepared, "answers.toml");
    expect(stand.stdout).toContain(`\n  sudo facepay-agent provision --non-interactive --from ${answers}\n`);
    for (const name of [".", "merchant-key.pem", "ttyFACEPAY"])
      expect(await stat(path.join(prepared, name))).toMatchObject({ uid: 1 });
    const own = ["store.directory=state", "api.socket=api.sock", "api.admin_socket=admin.sock"];
    const sets = own.flatMap((setting) => ["--set", setting.replace("=", `=${home}/`)]);
    const { code, stdout } = await provision(target, ["--non-interactive", "--from", answers, ...sets]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("The trial has passed.")]);
    await using nobody = new AgentProcess(["simulate", "--user", "no-such-user"]);
    expect(await nobody.exited).toMatchObject({ code: 64 });
  });

  it("does not touch a configuration that is no TOML", async () => {
    const { target } = await terminal("broken");
    await writeFile(target, "[identity\n");
    const { code, stderr } = await provision(target, ["--non-interactive"]);
    expect(code).toBe(78);
    expect(stderr).toContain(`${target}:1`);
    expect(await readFile(target, "utf8")).toBe("[identity\n");
  });

  it("leaves no secret in what it prints", async () => {
    const { home, target } = await terminal("secret");
    const { stdout, stderr } = await provision(target, ["--non-interactive", ...flags(home)]);
    const lines = readFileSync(from("merchant-key.pem"), "utf8").split("\n");
    const secret = lines.filter((line) => line !== "" && !line.startsWith("-----"));
    expect(secret.length).toBeGreaterThan(10);
    for (const line of secret) expect(stdout + stderr).not.toContain(line);
  });
});
