import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";
import tty from "node:tty";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openPty, type Pty } from "../../../drivers/simulator/pty.ts";
import { SimulatedBridge } from "../../../drivers/simulator/simulated-bridge.ts";
import { Deframer, frame } from "../../../drivers/simulator/wire.ts";

let directory: string;
let ptys: Pty[];
const lines: tty.ReadStream[] = [];

const open = async (link?: string) => {
  const pty = await openPty(link === undefined ? {} : { link });
  ptys.push(pty);
  return pty;
};

/** The device as a program opens it, raw octets and no framing. */
const openDevice = (device: string) => {
  const line = new tty.ReadStream(fs.openSync(device, fs.constants.O_RDWR | fs.constants.O_NOCTTY));
  lines.push(line);
  return line;
};

const until = async (stream: Readable, length: number) => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer);
    if (Buffer.concat(chunks).length >= length) break;
  }
  return Buffer.concat(chunks);
};

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "facepay-pty-"));
  ptys = [];
});

afterEach(() => {
  for (const line of lines.splice(0)) line.destroy();
  for (const pty of ptys) pty.unplug();
  fs.rmSync(directory, { recursive: true });
});

describe("openPty", () => {
  it("carries every octet unchanged both ways", async () => {
    const pty = await open();
    const line = openDevice(pty.path);
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    line.write(all);
    expect(await until(pty.stream, 256)).toEqual(all);
    pty.stream.write(all);
    expect(await until(line, 256)).toEqual(all);
  });

  it("stays open while nobody has the device open", async () => {
    const pty = await open();
    const first = openDevice(pty.path);
    const closed = new Promise((resolve) => first.once("close", resolve));
    first.destroy();
    await closed;
    const line = openDevice(pty.path);
    pty.stream.write("still here");
    expect((await until(line, 10)).toString()).toBe("still here");
  });

  it("hangs up on the device when it is unplugged, and takes the link away", async () => {
    const link = path.join(directory, "ttyFACE");
    const pty = await open(link);
    expect(fs.readlinkSync(link)).toBe(pty.path);
    const line = openDevice(link);
    const ended = new Promise((resolve) => {
      line.once("end", resolve);
      line.once("error", resolve);
    });
    line.resume();
    pty.unplug();
    pty.unplug();
    await ended;
    expect(fs.readdirSync(directory)).toEqual([]);
    expect(fs.existsSync(pty.path)).toBe(false);
  });

  it("does not stop the process when nobody reads what it writes", async () => {
    const pty = await open();
    pty.stream.write(Buffer.alloc(64 * 1024, 0x55));
    const line = openDevice(pty.path);
    expect(await until(line, 64 * 1024)).toHaveLength(64 * 1024);
  });

  it("takes over a link left by an earlier run and leaves the link of its successor", async () => {
    const link = path.join(directory, "ttyFACE");
    const first = await open(link);
    const second = await open(link);
    first.unplug();
    expect(fs.readlinkSync(link)).toBe(second.path);
  });

  it("puts nothing in the place of a real file, and leaks no descriptor then", async () => {
    const link = path.join(directory, "file");
    fs.writeFileSync(link, "mine");
    const before = fs.readdirSync("/proc/self/fd").length;
    await expect(open(link)).rejects.toThrow("EEXIST");
    expect(fs.readFileSync(link, "utf8")).toBe("mine");
    expect(fs.readdirSync("/proc/self/fd")).toHaveLength(before);
  });

  it("lets a bridge speak, and a new one after an unplug with the session kept", async () => {
    const bridge = new SimulatedBridge();
    const link = path.join(directory, "ttyFACE");
    const hello = '{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":"1.0","agent":"facepay-agent/0"}}';
    const sessions: unknown[] = [];
    for (let round = 0; round < 2; round++) {
      const pty = await open(link);
      bridge.attach(pty.stream);
      const line = openDevice(link);
      line.write(frame(hello));
      const deframer = new Deframer();
      for await (const chunk of line.iterator({ destroyOnReturn: false })) {
        const [answer] = deframer.push(chunk);
        if (answer?.kind !== "payload") continue;
        sessions.push(JSON.parse(answer.payload.toString()).result.session);
        break;
      }
      pty.unplug();
    }
    expect(sessions).toEqual([bridge.session, bridge.session]);
    expect(bridge.violations).toEqual([]);
  });
});
