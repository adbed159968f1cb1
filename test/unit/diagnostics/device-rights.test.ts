import { describe, expect, it } from "vitest";
import type { DiagnoseContext } from "../../../agent/diagnostics/check.ts";
import { deviceGroup, driverIn } from "../../../agent/diagnostics/device-number.ts";
import type { PresentPort } from "../../../agent/diagnostics/host/port.ts";
import { judgeRights } from "../../../agent/diagnostics/host/port-use.ts";
import { remedyOfError } from "../../../agent/messages/remedies/remedies.ts";
import { openFailure } from "../../../drivers/line/open-stream.ts";
import { told } from "../../support/checks/told.ts";

/** Every system has this one, for everybody: character device 1:3. */
const port = { path: "/dev/null", device: "/dev/null" } as PresentPort;
const user = { name: "facepay-agent", uid: 12_345, gid: 12_345, gids: [12_345] };

function judged(problem: unknown, installed = true) {
  const agent = { kind: "running", status: { bridge: { state: "opening", problem } } } as const;
  return judgeRights(port, { user, agent, installed } as unknown as DiagnoseContext);
}

describe("a device that only the unit may not open", () => {
  const refused = (code: string) => openFailure("/dev/ttyLP0", Object.assign(new Error(code), { code }));

  it("is told from one whose mode bars the user, with a remedy of its own", () => {
    expect(refused("EACCES")).toMatchObject({ code: "BRIDGE_PERMISSION", params: { path: "/dev/ttyLP0" } });
    expect(refused("EPERM")).toMatchObject({ code: "BRIDGE_PERMISSION", params: { variant: "unit" } });
    expect(remedyOfError(refused("EPERM"))).toEqual({
      zh: expect.stringContaining("systemctl restart facepay-agent"),
      en: expect.stringContaining("systemctl restart facepay-agent"),
    });
    expect(remedyOfError(refused("EACCES"))?.en).not.toContain("restart");
  });

  it("fails the check of its rights, though its mode lets the user in, and is named with the command that allows it", async () => {
    const { code, params } = refused("EPERM");
    const outcome = await judged({ code, params });
    expect(outcome).toMatchObject({ status: "fail", value: { major: 1, minor: 3, driver: "mem" } });
    const command =
      "printf '[Service]\\nDeviceAllow=char-1 rw\\n' > /etc/systemd/system/facepay-agent.service.d/device.conf";
    expect(told(outcome)).toMatchObject({
      detail: { zh: expect.stringContaining("/dev/null, mem 1:3"), en: expect.stringContaining("/dev/null, mem 1:3") },
      remedy: { zh: expect.stringContaining(command), en: expect.stringContaining(command) },
    });
    expect(told(await judged({ code, params }, false))).toMatchObject({
      remedy: { en: expect.stringContaining("container") },
    });
  });

  it("passes the check while the agent has no such trouble", async () => {
    expect(await judged(undefined)).toMatchObject({ status: "pass" });
    expect(await judged({ code: "BRIDGE_BUSY", params: {} })).toMatchObject({ status: "pass" });
  });

  it("is named by number, but by its driver's name where the number is another after the next boot", () => {
    const devices = "Character devices:\n  4 tty\n188 ttyUSB\n236 ttyLP\n\nBlock devices:\n188 sd\n237 virtblk\n";
    expect([4, 188, 236, 237].map((major) => driverIn(devices, major))).toEqual(["tty", "ttyUSB", "ttyLP", undefined]);
    const at = (major: number, driver?: string) =>
      deviceGroup({ major, minor: 0, ...(driver === undefined ? {} : { driver }) });
    expect([at(188, "ttyUSB"), at(236, "ttyLP"), at(510, "media"), at(236)]).toEqual([
      "char-188",
      "char-ttyLP",
      "char-media",
      "char-236",
    ]);
  });
});
