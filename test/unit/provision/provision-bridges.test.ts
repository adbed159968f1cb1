import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Answer, Candidate, Greeting } from "../../../agent/provision/bridges.ts";
import { candidates } from "../../../agent/provision/bridges.ts";
import { findBridge } from "../../../agent/provision/find-bridge.ts";
import type { UsbDevice } from "../../../drivers/line/serial-lookup.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), "bridges-"));
  await mkdir(path.join(root, "dev/serial/by-id"), { recursive: true });
  await mkdir(path.join(root, "proc"));
});
afterEach(() => rm(root, { recursive: true }));

const plugIn = (...names: string[]) => Promise.all(names.map((name) => writeFile(path.join(root, "dev", name), "")));
const dev = (name: string) => path.join(root, "dev", name);

/** Bridges that answer at these paths; anything else is silent. */
function line(bridges: Record<string, Greeting>) {
  const asked: string[] = [];
  const told: string[] = [];
  return {
    asked,
    told,
    async ask({ path: where }: Candidate): Promise<Greeting> {
      asked.push(where);
      return bridges[where] ?? { code: "BRIDGE_TIMEOUT" };
    },
    adapters: async () => [adapter("ttyUSB0"), adapter("ttyUSB1")],
    tell: ({ en }: { en: string }) => told.push(en),
  };
}
const bridge: Greeting = { bridge: "vendor/1", deviceId: "SN1" };

const adapter = (name: string, byId?: string): UsbDevice => ({
  ...{ tty: dev(name), vendorId: "1a86", productId: "7523", usbName: "1-1" },
  ...(byId === undefined ? {} : { byId }),
});

describe("where a bridge may be", () => {
  it("is every serial adapter, by the name that stays, and a line of the board that is no console; no ttyS", async () => {
    await plugIn("ttyS0", "tty1", "ttyAMA0", "ttyAMA1", "ttymxc3", "ttyAMAfake");
    await writeFile(path.join(root, "proc/consoles"), "ttyAMA0              -W- (EC  p  )    4:64\n");
    const byId = "/dev/serial/by-id/usb-FTDI-port0";
    expect(await candidates([adapter("ttyUSB1", byId), adapter("ttyACM0")], root)).toEqual(
      [byId, dev("ttyACM0"), dev("ttyAMA1"), dev("ttymxc3")].map((where) => ({ type: "serial", path: where })),
    );
  });

  it("is the packaged bridge's socket, where there is one", async () => {
    await mkdir(path.join(root, "run/facepay-bridge"), { recursive: true });
    const socket = path.join(root, "run/facepay-bridge/bridge.sock");
    const server = net.createServer().listen(socket);
    await new Promise((resolve) => server.once("listening", resolve));
    expect(await candidates([], root)).toEqual([{ type: "socket", path: socket }]);
    await new Promise((resolve) => server.close(resolve));
    expect(await candidates([], path.join(root, "nothing"))).toEqual([]);
  });
});

describe("the search for the bridge", () => {
  it("takes the only one that answers, and asks one line after the other", async () => {
    const searcher = line({ [dev("ttyUSB1")]: bridge });
    const found = await findBridge(undefined, searcher, root);
    expect(found).toMatchObject({ answered: true, deviceId: "SN1" });
    expect(Object.fromEntries(found?.driver ?? [])).toEqual({ "driver.type": "serial", "driver.path": dev("ttyUSB1") });
    expect(searcher.asked).toEqual([dev("ttyUSB0"), dev("ttyUSB1")]);
    expect(searcher.told.join()).toMatch(/ttyUSB0: BRIDGE_TIMEOUT.*ttyUSB1: bridge vendor\/1, device id SN1/);
  });

  it("finds none, or cannot decide between two, when nobody is there to choose", async () => {
    expect(await findBridge(undefined, line({}), root)).toBeUndefined();
    const two = line({ [dev("ttyUSB0")]: bridge, [dev("ttyUSB1")]: bridge });
    expect(await findBridge(undefined, two, root)).toBeUndefined();
  });

  it("lets the technician choose by number or by path, and asks again for any other word", async () => {
    const choice = async (...typed: string[]) => {
      const searcher = line({ [dev("ttyUSB0")]: bridge, [dev("ttyUSB1")]: bridge, "/dev/ttyS9": bridge });
      const choose = async (found: readonly Answer[]) => {
        expect(found).toHaveLength(2);
        return typed.shift() ?? "";
      };
      const found = await findBridge(undefined, { ...searcher, choose }, root);
      expect(typed).toEqual([]);
      return found?.driver.get("driver.path");
    };
    expect(await choice(" 2 ")).toBe(dev("ttyUSB1"));
    expect(await choice("/dev/ttyS9")).toBe("/dev/ttyS9");
    expect(await choice("3", "ttyUSB1", "", "1")).toBe(dev("ttyUSB0"));
  });

  it("keeps the line that was in use when nothing is found, or for an empty answer", async () => {
    const known: Candidate = { type: "serial", path: "/dev/unplugged" };
    const path = async (choose?: () => Promise<string>) => {
      const searcher = { ...line({}), known, ...(choose === undefined ? {} : { choose }) };
      return (await findBridge(undefined, searcher, root))?.driver.get("driver.path");
    };
    expect(await path()).toBe("/dev/unplugged");
    expect(await path(async () => "")).toBe("/dev/unplugged");
  });

  it("keeps a line that is named though nothing answers on it, and says so", async () => {
    const searcher = line({});
    const found = await findBridge({ type: "socket", path: "/run/x.sock" }, searcher, root);
    expect(found).toMatchObject({ answered: false });
    expect(found?.driver.get("driver.type")).toBe("socket");
    expect(searcher.told).toEqual([expect.stringMatching(/^ {2}\/run\/x\.sock: BRIDGE_TIMEOUT \w/)]);
  });
});
