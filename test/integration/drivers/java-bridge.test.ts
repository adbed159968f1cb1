import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../agent/common/clock.ts";
import { systemRandom } from "../../../agent/common/random.ts";
import { checkBridge } from "../../../drivers/conformance/check-bridge.ts";
import { serialStream } from "../../../drivers/line/serial-port.ts";
import { compileJavaBridge, startJavaBridge } from "../../../drivers/simulator/java-bridge.ts";
import { missing } from "../../support/fixtures/tools.ts";

const noJdk = missing("java", "javac");
/** Generous: the virtual machine starts within the first case. The bridge gives a call of the SDK 9 s. */
const limits = {
  helloMs: 120_000,
  callMs: 120_000,
  initMs: 120_000,
  quietMs: 30,
  rawDataGapMs: 0,
  silenceMs: 0,
  calls: 1_000,
};
const clock = systemClock();
const driver = {
  type: "serial",
  baudRate: 115_200,
  dataBits: 8,
  parity: "none",
  stopBits: 1,
  rtscts: false,
  callTimeoutMs: 10_000,
  initTimeoutMs: 15_000,
  init: {},
} as const;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "facepay-java-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe("docs/bridge/java", () => {
  it("passes the conformance kit on a serial line, once started anew", async ({ skip }) => {
    if (noJdk !== undefined) return skip(noJdk);
    const classes = await compileJavaBridge(directory);
    const bridge = await startJavaBridge({ classes, deviceId: "SN-JAVA" });
    try {
      const report = await checkBridge({
        open: serialStream({ ...driver, path: bridge.path }, clock),
        clock,
        random: systemRandom,
        limits,
        restart: () => bridge.restart(),
      });
      expect(report.results.filter(({ status }) => status !== "pass")).toEqual([]);
      expect(report.bridge).toMatchObject({ bridge: "simulated-java-bridge/1.0", device_id: "SN-JAVA" });
    } finally {
      await bridge.stop();
    }
  });
});
