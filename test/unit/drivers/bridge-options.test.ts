import path from "node:path";
import { describe, expect, it } from "vitest";
import { type BridgeOptions, BridgeUsage, lineConfig, settingsOf } from "../../../agent/cli/bridge/bridge-options.ts";

const socket = { library: "/opt/vendor/lib.so", socket: "/run/facepay-bridge/bridge.sock" };

function refusal(act: () => unknown): BridgeUsage {
  try {
    act();
  } catch (error) {
    if (error instanceof BridgeUsage) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("the command line of the bridge", () => {
  it("has deadlines a second below the agent's, and a socket for its group", () => {
    expect(settingsOf(socket)).toEqual({
      library: "/opt/vendor/lib.so",
      place: { socket: { path: socket.socket, mode: 0o660 } },
      callTimeoutMs: 9_000,
      initTimeoutMs: 14_000,
    });
  });

  it("takes relative paths from where it stands", () => {
    const { library, place } = settingsOf({ library: "lib.so", port: "ttyUSB0", baudRate: "9600", parity: "even" });
    expect(library).toBe(path.resolve("lib.so"));
    expect(place).toMatchObject({ port: { path: path.resolve("ttyUSB0"), baudRate: 9_600, parity: "even" } });
  });

  it.each<[string, BridgeOptions, string]>([
    ["no library", { socket: "/x" }, "--library"],
    ["no line", { library: "/x.so" }, "either a serial device with --port or a unix socket"],
    ["two lines", { ...socket, port: "/dev/x" }, "either a serial device"],
    ["a device id of 33 characters", { ...socket, deviceId: "x".repeat(33) }, "1 to 32 printable"],
    ["a device id in Chinese", { ...socket, deviceId: "设备" }, "1 to 32 printable"],
    ["two device ids", { ...socket, deviceId: "1", deviceIdFile: "/x" }, "either --device-id"],
    ["a deadline of nothing", { ...socket, callTimeout: "0" }, "--call-timeout is a whole number from 10"],
    ["a deadline in words", { ...socket, initTimeout: "10s" }, "--init-timeout is a whole number"],
    ["a mode that is none", { ...socket, socketMode: "0888" }, "octal"],
    ["a parity there is not", { library: "/x.so", port: "/dev/x", parity: "odder" }, "none, even, odd"],
    ["a baud rate there is not", { library: "/x.so", port: "/dev/x", baudRate: "-1" }, "--baud-rate"],
  ])("refuses %s in both languages", (_, options, words) => {
    const { words: said, exitCode } = refusal(() => settingsOf(options));
    expect(exitCode).toBe(64);
    expect(said.en).toContain(words);
    expect(said.zh).toMatch(/[\u4e00-\u9fff]/);
  });

  it("lets the kit refuse with an exit code of its own", () => {
    expect(refusal(() => lineConfig("/dev/x", { stopBits: "3" }, 3)).exitCode).toBe(3);
  });
});
