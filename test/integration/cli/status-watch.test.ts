import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { AgentProcess, launcher } from "../../support/fixtures/agent-process.ts";
import { openPty } from "../../support/fixtures/own-pty.ts";
import { openRig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";

describe.concurrent("facepay-agent status --watch", () => {
  it("is redrawn in place on a terminal, while the agent comes and goes, and gives the screen back", async () => {
    await using rig = await openRig();
    const pty = await openPty();
    // As large as a serial console says it is.
    const fd = openSync(pty.path, "r+");
    let screen = "";
    pty.stream.on("data", (chunk) => {
      screen += chunk;
    });
    const child = spawn(process.execPath, [launcher, "status", "--watch", "--config", rig.configFile], {
      stdio: [fd, fd, "inherit"],
      env: { PATH: process.env.PATH ?? "", LANG: "zh_CN.UTF-8", TERM: "xterm" },
    });
    closeSync(fd);
    const exited = once(child, "exit");
    const shows = (words: RegExp) =>
      rig.until(`the screen shows ${words}`, async () => words.test(screen.slice(screen.lastIndexOf("\u001b[H"))));
    try {
      await shows(/服务没有运行/);
      await rig.serve();
      await shows(/有效，第 1 份[\s\S]*剩余 59 分/);
      // A window that has become small.
      execFileSync("stty", ["-F", pty.path, "cols", "50", "rows", "8"]);
      child.kill("SIGWINCH");
      await shows(/还有 \d+ 行/);
      await rig.agent.crash();
      await shows(/服务没有运行/);
      await rig.serve();
      await shows(/有效，第 1 份/);
      child.kill("SIGINT");
      expect((await exited)[0]).toBe(0);
      await rig.until("the screen is given back", async () => screen.endsWith(LEAVE));
      expect(screen.startsWith(ENTER)).toBe(true);
      expect(screen.split(ENTER)).toHaveLength(2);
      // Drawn over, never cleared as a whole: nothing flickers.
      expect(screen).not.toContain("\u001b[2J");
      rig.saw("status --watch", screen);
    } finally {
      child.kill("SIGKILL");
      pty.unplug();
    }
  });

  it("writes a line for each change into a pipe", async () => {
    await using rig = await openRig();
    await using watch = new AgentProcess(["status", "--watch", "--lang", "en", "--config", rig.configFile]);
    const lines = () => watch.stdout.trim().split("\n");
    await rig.until("it is absent", async () => lines().length === 1 && /not running/.test(watch.stdout));
    await rig.serve();
    await rig.until("it is fresh", async () => /fresh generation=1/.test(lines().at(-1) ?? ""));
    await rig.until("the bridge is ready", async () => /bridge=ready wechatpay=ok error=-/.test(lines().at(-1) ?? ""));
    const before = lines().length;
    await rig.agent.crash();
    await rig.until("it is absent again", async () => /not running/.test(lines().at(-1) ?? ""));
    expect(lines().length).toBe(before + 1);
    expect(await watch.stop()).toMatchObject({ code: 1 });
    rig.saw("status --watch", watch.stdout);
  });
});
