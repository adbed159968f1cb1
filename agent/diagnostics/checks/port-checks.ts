import type { DriverConfig } from "../../config/config.ts";
import { checkRemedy } from "../../messages/remedies/remedies.ts";
import type { BridgeLine } from "../bridge-line.ts";
import { TALK_MS } from "../bridge-probe.ts";
import type { Check, DiagnoseContext, Outcome } from "../check.ts";
import { readKernelLog } from "../host/kernel-log.ts";
import { judgePresence, judgeUnique, type PresentPort, readPort } from "../host/port.ts";
import { judgeBusy, judgeDrops, judgeRights } from "../host/port-use.ts";
import { needsSudo, skipped, withoutConfig } from "../outcomes.ts";

export function portChecks(line: BridgeLine): readonly Check[] {
  const look = (context: DiagnoseContext, driver: DriverConfig) =>
    context.once("bridge.port", () => readPort(driver, line));
  type Judge = (port: PresentPort, context: DiagnoseContext, signal: AbortSignal) => Promise<Outcome> | Outcome;
  const onPort =
    (judge: Judge, socket?: Judge) =>
    async (context: DiagnoseContext, signal: AbortSignal): Promise<Outcome> => {
      const driver = context.loaded?.config.driver;
      if (driver === undefined) return withoutConfig();
      if (driver.type === "simulator") return skipped({ id: "line.simulated" });
      const port = await look(context, driver);
      const { device, path: place } = port;
      if (port.hidden) return needsSudo;
      if (device === undefined || place === undefined) return skipped({ id: "line.no_device" }, "ser.present");
      const judged = driver.type === "socket" ? socket : judge;
      if (judged === undefined) return skipped({ id: "line.socket" });
      return await judged({ ...port, device, path: place }, context, signal);
    };
  const common = { section: "bridge" } as const;
  return [
    {
      ...common,
      id: "ser.present",
      code: 401,
      title: { id: "title.ser.present" },
      dependsOn: [],
      threshold: { warn: { id: "limit.ser.present.warn" }, fail: { id: "limit.ser.present.fail" } },
      remedy: checkRemedy("ser.present"),
      async run(context) {
        const driver = context.loaded?.config.driver;
        if (driver === undefined) return withoutConfig();
        if (driver.type === "simulator") return skipped({ id: "line.simulated" });
        return judgePresence(await look(context, driver));
      },
    },
    {
      ...common,
      id: "ser.unique",
      code: 402,
      title: { id: "title.ser.unique" },
      dependsOn: ["ser.present"],
      threshold: { fail: { id: "limit.ser.unique.fail" } },
      remedy: checkRemedy("ser.unique"),
      run: onPort(judgeUnique),
    },
    {
      ...common,
      id: "ser.perm",
      code: 403,
      title: { id: "title.ser.perm" },
      dependsOn: ["ser.present"],
      threshold: { fail: { id: "limit.ser.perm.fail" } },
      remedy: checkRemedy("ser.perm"),
      run: onPort(judgeRights, judgeRights),
    },
    {
      ...common,
      id: "ser.busy",
      code: 404,
      title: { id: "title.ser.busy" },
      dependsOn: ["ser.present"],
      threshold: { warn: { id: "limit.ser.busy.warn" }, fail: { id: "limit.ser.busy.fail" } },
      remedy: checkRemedy("ser.busy"),
      timeoutMs: TALK_MS,
      run: onPort((port, context, signal) => judgeBusy(port, context, line, signal)),
    },
    {
      ...common,
      id: "ser.usb_resets",
      code: 405,
      title: { id: "title.ser.usb_resets" },
      dependsOn: ["ser.present"],
      threshold: { warn: { id: "limit.ser.usb_resets.warn" }, fail: { id: "limit.ser.usb_resets.fail" } },
      remedy: checkRemedy("ser.usb_resets"),
      run: onPort(({ usb }, { clock }) => {
        if (usb === undefined) return skipped({ id: "line.not_usb" });
        return judgeDrops(readKernelLog(), usb.usbName, clock.boot());
      }),
    },
  ];
}
