import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { launcher } from "../support/fixtures/agent-process.ts";
import { until } from "../support/fixtures/api-fixture.ts";
import { alive, DemoPlace, gone, root } from "../support/fixtures/demo-process.ts";
import { openPty } from "../support/fixtures/own-pty.ts";

const npm = process.env.npm_execpath;
const AGENT_AT_WORK = "served: GET /v1/authinfo";
const EXPLAINED = "without a keyboard";

describe.concurrent("the demo takes its agent with it", () => {
  it("when nobody reads its output any more", async () => {
    await using place = await DemoPlace.open();
    const started = place.start();
    await started.says(EXPLAINED);
    const agent = await place.agent();
    started.child.stdout?.destroy();
    expect(await started.ended).toEqual({ code: 0, signal: null });
    expect(started.text).not.toContain("EPIPE");
    expect(alive(agent)).toBe(false);
  });

  it("when its terminal is closed, with the launcher between", async () => {
    await using place = await DemoPlace.open();
    const pty = await openPty();
    let text = "";
    pty.stream.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    // A session leader without a terminal gets the first one that it opens.
    const onTerminal = `exec <>${pty.path} >&0 2>&0; "$0" "$@"`;
    const through = [process.execPath, path.join(root, "scripts/bootstrap.js"), "scripts/demo.ts"];
    const shell = place.startAs("sh", ["-c", onTerminal, ...through], { detached: true });
    await until(() => text.includes(AGENT_AT_WORK), `the agent at work, after: ${text}`, 120_000);
    const agent = await place.agent();
    const pid = Number(/kill -USR2 (\d+)/.exec(text)?.[1]);
    pty.unplug();
    await shell.ended;
    await gone("the demo", pid);
    expect(alive(agent)).toBe(false);
    await startsAgain(place);
  });

  it("when Ctrl-C reaches them all, pressed twice and passed on by the launcher", async () => {
    await using place = await DemoPlace.open();
    const args = [path.join(root, "scripts/bootstrap.js"), "scripts/demo.ts"];
    const started = place.startAs(process.execPath, args, { detached: true });
    await started.says(AGENT_AT_WORK);
    const agent = await place.agent();
    // The end takes until the agent goes on: whatever comes second finds the demo still there.
    process.kill(agent, "SIGSTOP");
    for (let pressed = 0; pressed < 2; pressed++) {
      process.kill(-(started.child.pid ?? 0), "SIGINT");
      await delay(50);
    }
    process.kill(agent, "SIGCONT");
    expect(await started.ended).toEqual({ code: 0, signal: null });
    expect(started.text).toContain("stopped; the files stay in");
    expect(started.text).not.toContain("starting it again");
    expect(alive(agent)).toBe(false);
  });

  it("but starts it again when it alone is ended, and says how that was", async () => {
    await using place = await DemoPlace.open();
    const started = place.start();
    await started.says(AGENT_AT_WORK);
    const agent = await place.agent();
    process.kill(agent, "SIGTERM");
    await started.says("the agent was ended by SIGTERM or SIGINT; starting it again in 1 s");
    await gone("the agent", agent);
    const next = await place.agent();
    process.kill(next, "SIGKILL");
    await started.says("the agent was ended by SIGKILL; starting it again in 1 s");
  });

  it("when it is killed", async () => {
    await using place = await DemoPlace.open();
    const started = place.start();
    await started.says(AGENT_AT_WORK);
    const agent = await place.agent();
    started.child.kill("SIGKILL");
    await started.ended;
    // At once: the next one waits for the agent that is about to end.
    await startsAgain(place);
    expect(alive(agent)).toBe(false);
  });

  it.skipIf(npm === undefined)("when the npm that runs it is killed (skipped outside npm test)", async () => {
    await using place = await DemoPlace.open();
    const started = place.startAs(process.execPath, [npm ?? "", "start", "--silent"]);
    await started.says(AGENT_AT_WORK);
    const agent = await place.agent();
    expect(started.pid).not.toBe(started.child.pid);
    started.child.kill("SIGKILL");
    await gone("the demo", started.pid);
    expect(alive(agent)).toBe(false);
  });
});

describe.concurrent("a second demo of the same checkout", () => {
  it("is refused with the process to end, unless the other one stands in for the gateway", async () => {
    await using place = await DemoPlace.open();
    const first = place.start();
    await first.says(EXPLAINED);
    const second = place.start();
    expect(await second.ended).toEqual({ code: 75, signal: null });
    expect(second.text).toContain(`a demo of this checkout is already running (${await place.kept()})`);
    const pid = Number(/end it first: kill (\d+)$/m.exec(second.text)?.[1]);
    expect(pid).toBe(first.child.pid);

    const beside = place.start(["--gateway"]);
    await beside.says("mode: through the merchant's gateway");
    await beside.says(AGENT_AT_WORK);
    await first.says(AGENT_AT_WORK);

    process.kill(pid, "SIGTERM");
    expect(await first.ended).toEqual({ code: 0, signal: null });
    await startsAgain(place);
    expect(alive(beside.pid)).toBe(true);
  });

  it("is refused by an agent that no demo has started, with the process to end", async () => {
    await using place = await DemoPlace.open();
    const first = place.start();
    await first.says(AGENT_AT_WORK);
    first.child.kill("SIGINT");
    expect(await first.ended).toEqual({ code: 0, signal: null });
    const config = path.join(await place.kept(), "config.toml");
    const agent = spawn(process.execPath, [launcher, "run", "--config", config], { stdio: "ignore", env: place.env });
    const ended = once(agent, "exit");
    try {
      expect(await place.agent()).toBe(agent.pid);
      const refused = place.start();
      expect(await refused.ended).toEqual({ code: 75, signal: null });
      expect(refused.text).toContain(`end it first: kill -9 ${agent.pid}\n`);
    } finally {
      agent.kill("SIGKILL");
      await ended;
    }
  });
});

describe.concurrent("the launchers", () => {
  it("leave an agent alone that was started without npm by a shell that has ended", async () => {
    await using place = await DemoPlace.open();
    const script = `"$0" scripts/bootstrap.js scripts/demo.ts & sleep 0.1`;
    const shell = place.startAs("sh", ["-c", script, process.execPath]);
    await shell.says(AGENT_AT_WORK);
    expect(alive(shell.child.pid ?? 0)).toBe(false);
    await delay(1_200);
    expect(alive(shell.pid)).toBe(true);
  });
});

/** The directory is free, and what was kept in it is served. */
async function startsAgain(place: DemoPlace): Promise<void> {
  const next = place.start();
  await next.says("authinfo obtained earlier");
  next.child.kill("SIGINT");
  expect(await next.ended).toEqual({ code: 0, signal: null });
}
