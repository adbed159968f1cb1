import type { Remedy } from "./remedy.ts";
import type { RemedyRule } from "./remedy-rule.ts";

export const wrongDevice: Remedy = {
  zh: "请改正配置中的 driver.type 和 driver.path。",
  en: "Correct driver.type and driver.path in the configuration.",
  edits: true,
};

const loopedBack: Remedy = {
  zh: "本机发出的数据被原样送回（回环）：请拔除回环插头，排除本机 TX 与 RX 之间的短接；本机 TX 应接刷脸模组的 RX，本机 RX 应接刷脸模组的 TX。",
  en: "What this terminal sends comes straight back (the line is looped back): take off the loopback plug, or the short between this terminal's own TX and RX; its TX belongs to the bridge's RX, its RX to the bridge's TX.",
};

/** A good frame, and nothing in it that could be used: the line and its settings are right. */
const unusableAnswers: Remedy = {
  zh: "线路正常，刷脸模组程序的应答格式不对：请升级刷脸模组程序，或请其厂商用一致性检查工具检查：\n  facepay-agent bridge --check",
  en: "The line is right, the answers of the bridge's program are not: update it, or have its vendor run the conformance kit:\n  facepay-agent bridge --check",
};

const otherSpeech: Remedy = {
  zh: "可能接错了设备或 baud_rate 不对：请核对 driver.path 指向刷脸模组，以及 baud_rate。",
  en: "Another device or a wrong baud_rate: check that driver.path leads to the bridge, and baud_rate.",
  edits: true,
};

/** What to do about the bridge and the SDK where the failure itself tells more than its code. */
export const lineRules: readonly RemedyRule[] = [
  {
    // systemd looks the names in DeviceAllow= up when it starts the unit: a driver that came later is let in by a restart.
    code: /^BRIDGE_PERMISSION$/,
    param: ["variant", "unit"],
    remedy: {
      zh: "只有服务打不开此设备。请先重启服务：\n  systemctl restart facepay-agent\n仍然如此时，请诊断，并按其给出的命令放行设备：\n  sudo facepay-agent diagnose",
      en: "Only the service may not open this device. Restart it first:\n  systemctl restart facepay-agent\nIf that does not help, diagnose gives the command that allows the device:\n  sudo facepay-agent diagnose",
    },
  },
  {
    code: /^BRIDGE_NOT_FOUND$/,
    param: ["variant", "socket"],
    remedy: {
      zh: "刷脸模组程序没有运行：请启动它，并核对 driver.path。",
      en: "The bridge's program is not running: start it, and check driver.path.",
      edits: true,
    },
  },
  { code: /^BRIDGE_FOREIGN_DATA$/, remedy: otherSpeech },
  { code: /^BRIDGE_ECHO$/, remedy: loopedBack },
  { code: /^BRIDGE_PROTOCOL$/, param: ["variant", "answer"], remedy: unusableAnswers },
  {
    code: /^ATTEMPT_TIMEOUT$/,
    param: ["variant", "line"],
    remedy: {
      zh: "刷脸模组或 SDK 太慢，或被收银程序长时间占用：请缩短收银程序经 /v1/sdk/call 发出的调用，重启刷脸模组程序，然后诊断：\n  facepay-agent diagnose",
      en: "The bridge or the SDK is too slow, or the cashier app keeps it busy: shorten the app's calls through /v1/sdk/call, restart the bridge's program, and look again:\n  facepay-agent diagnose",
    },
  },
  {
    code: /^ATTEMPT_TIMEOUT$/,
    remedy: {
      zh: "刷脸模组和网络都慢，一次获取未能在限时内完成。请诊断，并先处理第一项故障：\n  facepay-agent diagnose",
      en: "Bridge and network are so slow that one attempt did not end in time. Diagnose, and fix the first failure:\n  facepay-agent diagnose",
    },
  },
  { code: /^BRIDGE_OPEN_FAILED$/, param: ["variant", "not_serial"], remedy: wrongDevice },
  {
    code: /^DEVICE_ID_MISMATCH$/,
    remedy: {
      zh: "刷脸模组不是配置中的那一台：请接回原来的刷脸模组，或改正（也可删除）identity.device_id。",
      en: "The bridge is not the one that is configured: connect the former one, or correct or remove identity.device_id.",
      edits: true,
    },
  },
  {
    code: /^DEVICE_ID_MISSING$/,
    remedy: {
      zh: "请在 [identity] 下写 device_id（设备SN），或升级刷脸模组程序，由它报告。",
      en: "Write device_id under [identity], or update the bridge's program so that it reports one.",
    },
  },
  {
    code: /^SDK_RAWDATA_INVALID$/,
    remedy: {
      zh: "SDK 返回的 rawdata 无效：请检查摄像头连接，并升级刷脸模组程序。",
      en: "The SDK's rawdata is invalid: check the camera's cable and update the bridge's program.",
    },
  },
];
