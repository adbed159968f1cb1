import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isAgentError } from "../../../agent/common/errors.ts";
import { findSerialPort } from "../../../drivers/line/serial-lookup.ts";

let root: string;

beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(os.tmpdir(), "sysfs-")));
  await mkdir(path.join(root, "sys/class/tty"), { recursive: true });
  await mkdir(path.join(root, "dev"), { recursive: true });
});

afterEach(() => rm(root, { recursive: true }));

/** A USB serial adapter as the kernel shows it: ttyUSB* sits one level deeper than ttyACM*. */
async function plugIn(tty: string, usb: string, ids: { vendor: string; product: string; serial?: string }) {
  const device = `sys/devices/pci0000:00/usb1/${usb}`;
  const interfaceOf = `${device}/${usb}:1.0`;
  const port = tty.startsWith("ttyUSB") ? `${interfaceOf}/${tty}` : interfaceOf;
  const entry = `${port}/tty/${tty}`;
  await mkdir(path.join(root, entry), { recursive: true });
  await writeFile(path.join(root, device, "idVendor"), `${ids.vendor}\n`);
  await writeFile(path.join(root, device, "idProduct"), `${ids.product}\n`);
  if (ids.serial !== undefined) await writeFile(path.join(root, device, "serial"), `${ids.serial}\n`);
  await symlink(path.relative(path.join(root, entry), path.join(root, port)), path.join(root, entry, "device"));
  await symlink(path.join("../..", "..", entry), path.join(root, "sys/class/tty", tty));
  await writeFile(path.join(root, "dev", tty), "");
}

async function nameById(name: string, tty: string) {
  await mkdir(path.join(root, "dev/serial/by-id"), { recursive: true });
  await symlink(`../../${tty}`, path.join(root, "dev/serial/by-id", name));
}

const ch340 = { vendor: "1a86", product: "7523" };
const match = { vendorId: "1a86", productId: "7523" };

async function failure(work: Promise<unknown>) {
  const error = await work.catch((thrown: unknown) => thrown);
  if (!isAgentError(error)) throw new Error("no AgentError");
  return error;
}

describe("findSerialPort", () => {
  it("finds the one tty of a USB device among others", async () => {
    await plugIn("ttyUSB0", "1-1", { vendor: "10c4", product: "ea60" });
    await plugIn("ttyUSB1", "1-2", ch340);
    await mkdir(path.join(root, "sys/class/tty/ttyS0"), { recursive: true });
    await mkdir(path.join(root, "sys/class/tty/ptmx"), { recursive: true });
    expect(await findSerialPort(match, root)).toBe(path.join(root, "dev/ttyUSB1"));
  });

  it("prefers the name that survives a replug, if it leads to this very tty", async () => {
    await plugIn("ttyACM3", "1-2", { ...ch340, serial: "A7" });
    await nameById("usb-1a86_another-if00", "ttyUSB9");
    await nameById("usb-1a86_bridge_A7-if00", "ttyACM3");
    expect(await findSerialPort(match, root)).toBe(path.join(root, "dev/serial/by-id/usb-1a86_bridge_A7-if00"));
  });

  it("names all candidates rather than to guess", async () => {
    await plugIn("ttyUSB1", "1-2", ch340);
    await plugIn("ttyUSB0", "1-1", ch340);
    const error = await failure(findSerialPort(match, root));
    expect(error.code).toBe("BRIDGE_AMBIGUOUS");
    expect(error.params.candidates).toEqual(["ttyUSB0", "ttyUSB1"].map((tty) => path.join(root, "dev", tty)));
    expect(error.message).toContain("ttyUSB1");
  });

  it("tells two apart by their serial numbers", async () => {
    await plugIn("ttyUSB0", "1-1", { ...ch340, serial: "first" });
    await plugIn("ttyUSB1", "1-2", { ...ch340, serial: "second" });
    await plugIn("ttyUSB2", "1-3", ch340);
    expect(await findSerialPort({ ...match, serialNumber: "second" }, root)).toBe(path.join(root, "dev/ttyUSB1"));
    expect((await failure(findSerialPort({ ...match, serialNumber: "third" }, root))).code).toBe("BRIDGE_NOT_FOUND");
  });

  it("says what is missing, even where there is no sysfs at all", async () => {
    expect(await failure(findSerialPort(match, root))).toMatchObject({
      code: "BRIDGE_NOT_FOUND",
      message: expect.stringContaining("1a86:7523"),
    });
    expect((await failure(findSerialPort(match, path.join(root, "nowhere")))).code).toBe("BRIDGE_NOT_FOUND");
  });
});
