import type { Bilingual } from "../language.ts";
import type { RemedyRule } from "./remedy-rule.ts";

export const wrongDevice: Bilingual = {
  zh: "请改正配置中的 driver.type 和 driver.path。",
  en: "Correct driver.type and driver.path in the configuration.",
};

const loopedBack: Bilingual = {
  zh: "线路接成了回环：请核对接线，TX 接 RX。",
  en: "The line is looped back: check the wiring, TX to RX.",
};

const otherSpeech: Bilingual = {
  zh: "可能接错了设备或 baud_rate 不对：请核对 driver.path 指向硬件桥，以及 baud_rate。",
  en: "Another device or a wrong baud_rate: check that driver.path leads to the bridge, and baud_rate.",
};

/** What has come over a line on which no bridge answers, by the decoder's counters: it tells a dead bridge from a wrong device. */
export function heardInstead(
  frames: Readonly<Record<string, number>>,
): { readonly what: "echo" | "noise"; readonly octets: number; readonly remedy: Bilingual } | undefined {
  const { echo = 0, dropped_octets: octets = 0, fcs = 0 } = frames;
  if (echo > 0) return { what: "echo", octets, remedy: loopedBack };
  return octets > 0 || fcs > 0 ? { what: "noise", octets, remedy: otherSpeech } : undefined;
}

/** What to do about the bridge and the SDK where the failure itself tells more than its code. */
export const lineRules: readonly RemedyRule[] = [
  {
    // systemd looks the names in DeviceAllow= up when it starts the unit: a driver that came later is let in by a restart.
    code: /^BRIDGE_PERMISSION$/,
    param: ["variant", "unit"],
    remedy: {
      zh: "只有服务打不开此设备，请先重启服务：systemctl restart facepay-agent；仍然如此，请运行 sudo facepay-agent diagnose，按其给出的命令放行设备。",
      en: "Only the service may not open this device. Restart it first: systemctl restart facepay-agent. If that does not help, sudo facepay-agent diagnose gives the command that allows the device.",
    },
  },
  { code: /^BRIDGE_OPEN_FAILED$/, param: ["variant", "not_serial"], remedy: wrongDevice },
  {
    code: /^DEVICE_ID_MISMATCH$/,
    remedy: {
      zh: "硬件桥不是配置中的那一台：请接回原来的硬件桥，或改正（也可删除）identity.device_id。",
      en: "The bridge is not the one that is configured: connect the former one, or correct or remove identity.device_id.",
    },
  },
  {
    code: /^DEVICE_ID_MISSING$/,
    remedy: {
      zh: "请在 [identity] 下写 device_id（设备SN），或升级硬件桥程序，由它报告。",
      en: "Write device_id under [identity], or update the bridge's program so that it reports one.",
    },
  },
  {
    code: /^SDK_RAWDATA_INVALID$/,
    remedy: {
      zh: "SDK 返回的 rawdata 无效：请检查摄像头连接，并升级硬件桥程序。",
      en: "The SDK's rawdata is invalid: check the camera's cable and update the bridge's program.",
    },
  },
];
