import { describe, expect, it } from "vitest";
import type { ProbedBridge } from "../../../agent/diagnostics/bridge-probe.ts";
import { heardFromAgent } from "../../../agent/diagnostics/bridge-probe.ts";
import type { DiagnoseContext, Outcome } from "../../../agent/diagnostics/check.ts";
import {
  judgeFrames,
  judgeHandshake,
  judgeProtocol,
  talkChecks,
} from "../../../agent/diagnostics/checks/handshake-checks.ts";
import { countUsbDrops, parseRecord } from "../../../agent/diagnostics/host/kernel-log.ts";
import { judgePresence, judgeUnique, type Port, readPort } from "../../../agent/diagnostics/host/port.ts";
import { judgeDrops } from "../../../agent/diagnostics/host/port-use.ts";
import { sdkRemedy } from "../../../agent/messages/remedies/sdk-remedies.ts";
import { textOf } from "../../../agent/messages/text-of.ts";
import type { UsbDevice } from "../../../drivers/line/serial-lookup.ts";
import { told } from "../../support/checks/told.ts";
import { lineSettings } from "../../support/fixtures/line-settings.ts";

const driver = { type: "serial", ...lineSettings } as const;
const match = { vendorId: "1a86", productId: "7523" };

function usb(tty: string, more: Partial<UsbDevice> = {}): UsbDevice {
  return { tty, vendorId: "1a86", productId: "7523", usbName: "1-1", ...more };
}

function remedyOf(outcome: Outcome): string {
  return "remedy" in outcome && outcome.remedy !== undefined ? textOf(outcome.remedy).en : "";
}

describe("which device", () => {
  const line = (plugged: readonly UsbDevice[]) => ({
    devices: async () => plugged,
    open: () => Promise.reject(new Error("not asked for")),
  });

  it("is the one that matches; several, none and another one are told apart", async () => {
    const one = await readPort({ ...driver, match }, line([usb("/dev/tty"), usb("/dev/ptmx", { productId: "ffff" })]));
    expect(one).toMatchObject({ path: "/dev/tty", device: "/dev/tty", kind: "tty" });
    expect(judgePresence(one).status).toBe("pass");
    expect(judgeUnique(one).status).toBe("pass");
    const two = await readPort(
      { ...driver, match },
      line([usb("/dev/tty"), usb("/dev/ptmx", { byPath: "/dev/serial/by-path/x" })]),
    );
    expect(judgeUnique(two)).toMatchObject({
      status: "fail",
      value: { candidates: ["/dev/tty", "/dev/serial/by-path/x"] },
    });
    const none = judgePresence(await readPort({ ...driver, match }, line([])));
    expect(told(none)).toMatchObject({
      status: "fail",
      detail: { en: expect.stringContaining("nor any USB serial device") },
    });
    const other = judgePresence(
      await readPort(
        { ...driver, match },
        line([usb("/dev/ptmx", { productId: "ffff", byId: "/dev/serial/by-id/y" })]),
      ),
    );
    expect(told(other)).toMatchObject({
      status: "fail",
      detail: { zh: expect.stringContaining("/dev/serial/by-id/y (1a86:ffff)") },
    });
    expect(remedyOf(other)).toContain("Another device is plugged in");
  });

  it("is better named by-id than by a number that changes", async () => {
    const device = usb("/dev/tty", { byId: "/dev/serial/by-id/usb-1a86" });
    const port = await readPort({ ...driver, path: "/dev/tty" }, line([device]));
    const outcome = judgePresence(port);
    expect(outcome.status).toBe("warn");
    expect(remedyOf(outcome)).toContain('path = "/dev/serial/by-id/usb-1a86"');
  });

  it("is not told by a by-id name that twins without a serial number share", () => {
    const twins = [usb("/dev/ttyUSB0"), usb("/dev/ttyUSB1")];
    const port: Port = {
      driver: { ...driver, path: "/dev/serial/by-id/usb-1a86" },
      candidates: [],
      plugged: twins,
      usb: usb("/dev/ttyUSB0"),
    };
    expect(judgeUnique(port).status).toBe("fail");
    expect(judgeUnique({ ...port, usb: usb("/dev/ttyUSB0", { serialNumber: "A7" }) }).status).toBe("pass");
    expect(judgeUnique({ ...port, plugged: twins.slice(1) }).status).toBe("pass");
  });
});

describe("USB drops", () => {
  const record = (us: number, text: string) => parseRecord(`6,1234,${us},-;${text}\n SUBSYSTEM=usb\n`);

  it("are read from the kernel's log", () => {
    expect(record(5_000_000, "usb 1-1.2: USB disconnect, device number 5")).toEqual({
      us: 5_000_000,
      text: "usb 1-1.2: USB disconnect, device number 5",
    });
    expect(parseRecord("no record")).toBeUndefined();
  });

  it("count for this device alone, and for a day", () => {
    const records = [
      record(1, "usb 1-1.2: USB disconnect, device number 4"),
      record(10_000_000, "usb 1-1.2: USB disconnect, device number 5"),
      record(11_000_000, "usb 1-1.2: reset full-speed USB device number 6 using xhci_hcd"),
      record(12_000_000, "usb 1-1.20: USB disconnect, device number 7"),
      record(13_000_000, "usb 1-1.2: new full-speed USB device number 8"),
    ].filter((each) => each !== undefined);
    expect(countUsbDrops(records, "1-1.2", 5_000_000)).toBe(2);
    const drop = (count: number) =>
      Array.from({ length: count }, () => ({ us: 1, text: "usb 1-1: USB disconnect, device number 5" }));
    expect(judgeDrops(drop(0), "1-1", 60_000).status).toBe("pass");
    expect(judgeDrops(drop(5), "1-1", 60_000).status).toBe("warn");
    expect(judgeDrops(drop(6), "1-1", 60_000).status).toBe("fail");
    expect(judgeDrops(undefined, "1-1", 60_000).status).toBe("skip");
  });
});

describe("what the bridge said", () => {
  const spoken: ProbedBridge = {
    kind: "spoken",
    by: "self",
    path: "/dev/x",
    frames: { ok: 4 },
    hello: { bridge: "b/1", protocol: "1.0" },
    helloMs: 12,
  };

  it("in a second is well, later is slow, and never is a failure", () => {
    expect(judgeHandshake(spoken)).toMatchObject({ status: "pass", value: { device_id: null, hello_ms: 12 } });
    expect(judgeHandshake({ ...spoken, helloMs: 1_000 }).status).toBe("warn");
    const { hello: _hello, ...silent } = spoken;
    expect(judgeHandshake({ ...silent, frames: {}, failure: { code: "BRIDGE_TIMEOUT", detail: "" } }).status).toBe(
      "fail",
    );
    // It has answered; what is wrong with the answer is the next check's.
    expect(judgeHandshake({ ...silent, failure: { code: "BRIDGE_PROTOCOL", detail: "2.0" } }).status).toBe("pass");
    expect(judgeHandshake({ ...silent, failure: { code: "BRIDGE_PROTOCOL", detail: "2.0" } })).not.toHaveProperty(
      "value.device_id",
    );
    expect(judgeProtocol({ ...silent, failure: { code: "BRIDGE_PROTOCOL", detail: "2.0" } }).status).toBe("fail");
  });

  it("with few bad frames is no alarm, with many one", () => {
    const frames = (ok: number, fcs: number) => judgeFrames({ ...spoken, frames: { ok, fcs } }).status;
    expect(frames(4, 0)).toBe("pass");
    expect(frames(0, 0)).toBe("pass");
    expect(frames(4, 1)).toBe("warn");
    expect(frames(4, 3)).toBe("fail");
    expect(frames(20_000, 1)).toBe("pass");
    expect(frames(5_000, 1)).toBe("warn");
    expect(frames(1_000, 20)).toBe("fail");
  });

  it("through the agent is taken from its two answers", () => {
    const bridge = {
      state: "ready",
      path: "/dev/x",
      bridge: "b/1",
      protocol: "1.0",
      device_id: "D",
      frames: { ok: 7 },
    };
    const body = { bridge: "b/1", protocol: "1.0", hello_ms: 3, rawdata_ms: 40, rawdata_length: 672 };
    expect(heardFromAgent({ status: 200, body }, { bridge }, "")).toMatchObject({
      by: "agent",
      helloMs: 3,
      frames: { ok: 7 },
    });
    const problem = {
      code: "PROBE_FAILED",
      cause: { code: "SDK_ERROR", detail: "refused", params: { returnCode: "ERROR", errCode: 271378620, said: "x" } },
      err_code: 271378620,
      said: "x",
    };
    expect(heardFromAgent({ status: 502, body: problem }, { bridge }, "")).toMatchObject({
      hello: { protocol: "1.0", deviceId: "D" },
      failure: { code: "SDK_ERROR", params: { returnCode: "ERROR", errCode: 271378620, said: "x" } },
    });
    // A line that is not open has answered nothing, whatever it once was.
    const opening = { ...bridge, state: "opening" };
    expect(heardFromAgent({ status: 502, body: problem }, { bridge: opening }, "").hello).toBeUndefined();
  });
});

describe("an agent that may be running keeps the port", () => {
  const line = { devices: async () => [], open: () => Promise.reject(new Error("the port was opened")) };
  const asked = (agent: "forbidden" | "silent") => {
    const context = {
      agent: { kind: agent },
      loaded: { config: { driver } },
      once: <T>(_name: string, read: () => Promise<T>) => read(),
    } as unknown as DiagnoseContext;
    return Promise.all(talkChecks(line).map((check) => check.run(context, new AbortController().signal)));
  };

  it("also when it may not be asked, or does not answer", async () => {
    for (const outcome of await asked("forbidden"))
      expect(told(outcome)).toMatchObject({ status: "skip", detail: { en: expect.stringContaining("sudo") } });
    for (const outcome of await asked("silent"))
      expect(outcome).toMatchObject({ status: "skip", because: "svc.running" });
  });
});

describe("the SDK's own codes", () => {
  it.each([271378620, 271378621, 271382020, 271369219, 271378577, 271378433, 271378435, 271375364, 33, 31])(
    "%d has a remedy in both languages",
    (errCode) => {
      const remedy = sdkRemedy("SDK_ERROR", { errCode });
      expect(remedy?.zh).toMatch(/[\u4e00-\u9fff]/);
      expect(remedy?.en).toMatch(/^[A-Z]/);
    },
  );

  it("and its words where it gives none", () => {
    expect(sdkRemedy("SDK_ERROR", { said: "Unable to get device SN" })?.zh).toContain("SN");
    expect(sdkRemedy("SDK_ERROR", { said: "AuthInfo License Error" })?.en).toContain("network card");
    expect(sdkRemedy("SDK_SERVICE_DOWN", { status: -1 })?.en).toContain("WxpayFaceService");
    expect(sdkRemedy("SDK_ERROR", {})).toBeUndefined();
  });
});
