import { once } from "node:events";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../agent/common/clock.ts";
import { silentLog } from "../../../agent/common/log/log.ts";
import { systemRandom } from "../../../agent/common/random.ts";
import { lockDirectory } from "../../../agent/store/lock.ts";
import { startChild } from "../../support/children/child.ts";
import { recordingLog, temporaryDirectory } from "../../support/fixtures/store-fixture.ts";

const options = { clock: systemClock(), random: systemRandom, log: silentLog };

describe("the lock of the state directory", () => {
  it("refuses a second one, names the holder, and is free after release", async () => {
    await using temporary = await temporaryDirectory();
    const { directory } = temporary;
    const lock = await lockDirectory(directory, options);
    await expect(lockDirectory(directory, options)).rejects.toMatchObject({
      code: "STORE_LOCKED",
      params: { pid: process.pid, directory },
    });
    await using child = startChild("lock-child.ts", [directory, "hold"]);
    expect(await child.line()).toBe(`locked ${process.pid}`);
    await lock.release();
    await lock.release();
    expect(await readdir(directory)).toEqual([]);
    await (await lockDirectory(directory, options)).release();
  });

  it("is free at once when the holder is killed", async () => {
    await using temporary = await temporaryDirectory();
    const { directory } = temporary;
    for (let round = 0; round < 3; round++) {
      await using child = startChild("lock-child.ts", [directory, "hold"]);
      expect(await child.line()).toBe("held");
      await expect(lockDirectory(directory, options)).rejects.toMatchObject({ params: { pid: child.process.pid } });
      await child[Symbol.asyncDispose]();
      const lock = await lockDirectory(directory, options);
      expect(await readdir(directory)).toHaveLength(1);
      await lock.release();
    }
  });

  it("stays with a holder who is stopped and cannot answer", async () => {
    await using temporary = await temporaryDirectory();
    const { directory } = temporary;
    await using child = startChild("lock-child.ts", [directory, "hold"]);
    expect(await child.line()).toBe("held");
    child.process.kill("SIGSTOP");
    await expect(lockDirectory(directory, options)).rejects.toMatchObject({ params: { pid: child.process.pid } });
  });

  it("goes to exactly one of those who start at the same instant", async () => {
    await using temporary = await temporaryDirectory();
    const { directory } = temporary;
    for (let round = 1; round <= 20; round++) {
      const moment = String(options.clock.wall() + 400);
      await using one = startChild("lock-child.ts", [directory, "hold", moment]);
      await using two = startChild("lock-child.ts", [directory, "hold", moment]);
      const answers = await Promise.all([one.line(), two.line()]);
      const winner = answers[0] === "held" ? one : two;
      // The killed winner's socket stays, and the next round has to deal with it.
      expect(answers.toSorted(), `round ${round}`).toEqual(["held", `locked ${winner.process.pid}`]);
    }
  });

  it("goes to exactly one of many in one process", async () => {
    await using temporary = await temporaryDirectory();
    for (let round = 1; round <= 20; round++) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 5 }, () => lockDirectory(temporary.directory, options)),
      );
      const held = outcomes.filter((outcome) => outcome.status === "fulfilled");
      expect(held, `round ${round}`).toHaveLength(1);
      for (const { value } of held) await value.release();
      expect(await readdir(temporary.directory)).toEqual([]);
    }
  });

  it("clears the sockets of the dead and nothing else", async () => {
    await using temporary = await temporaryDirectory();
    const { directory } = temporary;
    await writeFile(path.join(directory, "lock.0123456789abcdef.4711"), "");
    await writeFile(path.join(directory, ".lock.0123456789abcdef.4711.tmp"), "");
    await writeFile(path.join(directory, "lock.note"), "");
    const lock = await lockDirectory(directory, options);
    await lock.release();
    expect(await readdir(directory)).toEqual(["lock.note"]);
  });

  it("works in a directory whose path is longer than a socket's may be", async () => {
    await using temporary = await temporaryDirectory();
    const directory = path.join(temporary.directory, "d".repeat(120), "e".repeat(120));
    await mkdir(directory, { recursive: true });
    const lock = await lockDirectory(directory, options);
    await expect(lockDirectory(directory, options)).rejects.toMatchObject({ code: "STORE_LOCKED" });
    await lock.release();
    expect(await readdir(directory)).toEqual([]);
  });

  it("does not keep a process alive, and dies with it", async () => {
    await using temporary = await temporaryDirectory();
    await using child = startChild("lock-child.ts", [temporary.directory, "leave"]);
    expect(await child.line()).toBe("held");
    await once(child.process, "close");
    expect(child.process.exitCode).toBe(0);
    await (await lockDirectory(temporary.directory, options)).release();
  });

  it("that cannot be taken is a warning, not the end", async () => {
    await using temporary = await temporaryDirectory();
    await rm(temporary.directory, { recursive: true });
    const log = recordingLog();
    const lock = await lockDirectory(temporary.directory, { ...options, log });
    await lock.release();
    expect(log.lines).toMatchObject([{ code: "STORE_UNLOCKED", fields: { errno: "ENOENT" } }]);
  });

  it("bears a peer that says nothing and one that says too much", async () => {
    await using temporary = await temporaryDirectory();
    const { directory } = temporary;
    const lock = await lockDirectory(directory, options);
    const [name = ""] = await readdir(directory);
    const peer = net.connect(path.join(directory, name));
    peer.on("error", () => peer.destroy());
    peer.write(Buffer.alloc(1_000_000));
    const [answer] = await once(peer, "data");
    expect(String(answer)).toBe(`${process.pid} held\n`);
    const silent = net.connect(path.join(directory, name));
    await once(silent, "connect");
    await lock.release();
    peer.destroy();
    silent.destroy();
  });
});
