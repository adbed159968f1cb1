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
      if (driver.type === "simulator")
        return skipped("使用内置模拟刷脸模组，没有线路", "the bridge is simulated inside the agent: there is no line");
      const port = await look(context, driver);
      const { device, path: place } = port;
      if (port.hidden) return needsSudo;
      if (device === undefined || place === undefined)
        return skipped("设备不在", "the device is not there", "ser.present");
      const judged = driver.type === "socket" ? socket : judge;
      if (judged === undefined)
        return skipped("刷脸模组是 unix 套接字，没有串口", "the bridge is a unix socket, not a serial device");
      return await judged({ ...port, device, path: place }, context, signal);
    };
  const common = { section: "bridge" } as const;
  return [
    {
      ...common,
      id: "ser.present",
      code: 401,
      title: { zh: "刷脸模组", en: "Bridge present" },
      dependsOn: [],
      threshold: { warn: "found by a name that changes", fail: "not there" },
      remedy: checkRemedy("ser.present"),
      async run(context) {
        const driver = context.loaded?.config.driver;
        if (driver === undefined) return withoutConfig();
        if (driver.type === "simulator")
          return skipped("使用内置模拟刷脸模组", "the bridge is simulated inside the agent");
        return judgePresence(await look(context, driver));
      },
    },
    {
      ...common,
      id: "ser.unique",
      code: 402,
      title: { zh: "设备唯一", en: "Only one device" },
      dependsOn: ["ser.present"],
      threshold: { fail: "several devices match" },
      remedy: checkRemedy("ser.unique"),
      run: onPort(judgeUnique),
    },
    {
      ...common,
      id: "ser.perm",
      code: 403,
      title: { zh: "串口权限", en: "Device rights" },
      dependsOn: ["ser.present"],
      threshold: { fail: "the service's user may not read and write it" },
      remedy: checkRemedy("ser.perm"),
      run: onPort(judgeRights, judgeRights),
    },
    {
      ...common,
      id: "ser.busy",
      code: 404,
      title: { zh: "串口占用", en: "Port in use" },
      dependsOn: ["ser.present"],
      threshold: { warn: "ModemManager or brltty may take it", fail: "another program has it open" },
      remedy: checkRemedy("ser.busy"),
      timeoutMs: TALK_MS,
      run: onPort((port, context, signal) => judgeBusy(port, context, line, signal)),
    },
    {
      ...common,
      id: "ser.usb_resets",
      code: 405,
      title: { zh: "USB 断开", en: "USB drops" },
      dependsOn: ["ser.present"],
      threshold: { warn: "1 to 5 in 24 h", fail: "more than 5 in 24 h" },
      remedy: checkRemedy("ser.usb_resets"),
      run: onPort(({ usb }, { clock }) => {
        if (usb === undefined) return skipped("不是 USB 设备", "not a USB device");
        return judgeDrops(readKernelLog(), usb.usbName, clock.boot());
      }),
    },
  ];
}
