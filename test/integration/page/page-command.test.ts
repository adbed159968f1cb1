import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { loopbackOf } from "../../../agent/cli/page.ts";
import { unpackArchive } from "../../../agent/diagnostics/report/archive.ts";
import { AgentProcess } from "../../support/fixtures/agent-process.ts";
import { until } from "../../support/fixtures/api-fixture.ts";
import { openRig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

/** The command, and a browser that has opened its link. */
class Visit implements AsyncDisposable {
  readonly process: AgentProcess;
  #link = "";
  #page = "";
  #cookie = "";

  constructor(args: readonly string[]) {
    this.process = new AgentProcess(["page", "--lang", "en", ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
  }

  async open(): Promise<void> {
    await until(() => this.process.stdout.endsWith("\n"), "the link", 120_000);
    this.#link = /^ {2}(http:\/\/127\.0\.0\.1:\d+\/open\/[\w-]{43})$/m.exec(this.process.stdout)?.[1] ?? "";
    const answer = await fetch(this.#link, { redirect: "manual" });
    this.#page = new URL(answer.headers.get("location") ?? "", this.#link).href;
    this.#cookie = (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  }

  async get(name = ""): Promise<Response> {
    return await fetch(new URL(name, this.#page), { headers: { cookie: this.#cookie } });
  }

  async text(): Promise<string> {
    return await (await this.get("?lang=en")).text();
  }

  async press(name: string): Promise<number> {
    const csrf = /name="csrf" value="([^"]+)"/.exec(await this.text())?.[1] ?? "";
    const headers = { cookie: this.#cookie, origin: new URL(this.#page).origin };
    const body = new URLSearchParams({ csrf, lang: "en" });
    return (await fetch(new URL(name, this.#page), { method: "POST", headers, body, redirect: "manual" })).status;
  }

  async shows(what: RegExp): Promise<string> {
    let text = "";
    await until(
      async () => {
        text = await this.text();
        return what.test(text);
      },
      `${what} on the page`,
      120_000,
    );
    return text;
  }
}

describe.concurrent("facepay-agent page", () => {
  it("shows a terminal at work, renews, diagnoses and hands the bundle over; no secret of it; the agent has no port", async () => {
    await using rig = await openRig({ mode: "gateway" });
    await rig.serve();
    await using visit = new Visit(["--config", rig.configFile]);
    await visit.open();
    const first = await visit.shows(/Face payment (still )?works/);
    expect(first).toMatch(/generation 1/);
    expect(first).toMatch(/Renewals: 1 done/);
    expect(await visit.press("refresh")).toBe(303);
    await visit.shows(/new authinfo obtained: generation 2/);
    const page = await visit.shows(/Download the support bundle/);
    expect(page).toMatch(/Renewals: 2 done/);
    const bundle = await visit.get("bundle");
    expect(bundle.headers.get("content-disposition")).toMatch(/^attachment; filename="facepay-\w{4}-\w{4}\.tar\.gz"$/);
    const files = await unpackArchive(Buffer.from(await bundle.arrayBuffer()));
    expect(files.map(({ name }) => name.split("/")[1])).toContain("history.json");
    expect(listeningPortsOf(visit.process.pid)).toBe(1);
    expect(listeningPortsOf(rig.agent.pid)).toBe(0);
    visit.process.kill("SIGTERM");
    expect(await visit.process.exited).toEqual({ code: 0, signal: null });
    const { stdout, stderr } = visit.process;
    rig.saw(
      "page",
      [first, page, stdout, stderr, ...files.map(({ content }) => content.toString("latin1"))].join("\n"),
    );
  });

  it("works with the agent dead: says so, what to do, and what diagnose has found", async () => {
    await using rig = await openRig({});
    await using visit = new Visit(["--config", rig.configFile]);
    await visit.open();
    const text = await visit.shows(/run [0-9A-Z]{4}-[0-9A-Z]{4}/);
    expect(text).toContain("The agent cannot be asked");
    expect(text).toMatch(/<pre>facepay-agent run --config [^<]+config\.toml<\/pre>/);
    expect(text).not.toContain("Renew the authinfo now");
    visit.process.kill("SIGINT");
    expect(await visit.process.exited).toEqual({ code: 0, signal: null });
  });

  it("refuses to listen anywhere but on this machine", async () => {
    await using run = new AgentProcess(["page", "--listen", "0.0.0.0:0", "--lang", "both"]);
    expect(await run.exited).toEqual({ code: 64, signal: null });
    expect(run.stderr).toContain("只允许本机自身的地址");
    expect(run.stderr).toContain("only an address of this machine itself is allowed");
    expect(run.stdout).toBe("");
  });

  it("says so when the port is taken", async () => {
    await using visit = new Visit(["--config", "/nonexistent/config.toml"]);
    await visit.open();
    const port = /127\.0\.0\.1:(\d+)/.exec(visit.process.stdout)?.[1] ?? "";
    await using second = new AgentProcess(["page", "--listen", `127.0.0.1:${port}`, "--lang", "en"]);
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(second.stderr).toContain(`cannot listen on 127.0.0.1:${port} (EADDRINUSE)`);
  });

  it.each([
    ["127.0.0.1:0", { host: "127.0.0.1", port: 0 }],
    ["127.9.8.7:65535", { host: "127.9.8.7", port: 65_535 }],
    ["[::1]:80", { host: "::1", port: 80 }],
  ])("takes --listen %s", (text, place) => {
    expect(loopbackOf(text)).toEqual(place);
  });

  it.each([
    "",
    "127.0.0.1",
    ":80",
    "0.0.0.0:0",
    "192.168.1.2:80",
    "localhost:80",
    "[::]:80",
    "[::ffff:127.0.0.1]:80",
    "127.0.0.1:65536",
    "127.1:80",
    "127.0.0.256:80",
    "2130706433:80",
    "127.0.0.1:80/x",
    "[fe80::1]:80",
  ])("takes no --listen %j", (text) => {
    expect(loopbackOf(text)).toBeUndefined();
  });
});

/** How many TCP ports this process listens on, by the kernel's own tables. */
function listeningPortsOf(pid: number): number {
  const listening = new Set<string>();
  for (const table of ["tcp", "tcp6"]) {
    for (const line of readFileSync(`/proc/${pid}/net/${table}`, "utf8").split("\n").slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] === "0A") listening.add(`socket:[${fields[9]}]`);
    }
  }
  const open = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return "";
    }
  });
  return open.filter((target) => listening.has(target)).length;
}
