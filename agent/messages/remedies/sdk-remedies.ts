import type { Bilingual } from "../../common/language.ts";

interface Rule {
  /** The SDK's `err_code`, or what its native call returned. */
  readonly errCode?: readonly number[];
  readonly nativeStatus?: readonly number[];
  /** Where the SDK gives no code, its text is all there is. */
  readonly said?: RegExp;
  readonly remedy: Bilingual;
}

/** Reference "wechatpay" 2.4: code, meaning, remedy. The first rule that fits counts. */
const rules: readonly Rule[] = [
  {
    errCode: [271378620],
    remedy: {
      zh: "刷脸服务未初始化：请重启刷脸模组（断电 10 秒），并确认微信刷脸服务已启动。",
      en: "The face service is not initialised: power-cycle the bridge for 10 s and make sure the face service runs.",
    },
  },
  {
    errCode: [271378621],
    remedy: {
      zh: "刷脸服务一直在初始化：请等一分钟；仍不行请检查其网络后重启刷脸模组。",
      en: "The face service keeps initialising: wait a minute, else check its network and restart the bridge.",
    },
  },
  {
    errCode: [271382020, 271369219],
    remedy: {
      zh: "刷脸设备的时间不对：请校准其时间（自动对时），然后重启刷脸模组。",
      en: "The face device's clock is wrong: set it (automatic time), then restart the bridge.",
    },
  },
  {
    errCode: [271378577],
    remedy: {
      zh: "摄像头异常：请检查摄像头连线并重启设备，仍不行请报修。",
      en: "Camera fault: check its cable and restart the device, else have it repaired.",
    },
  },
  {
    errCode: [271378433, 271378435],
    remedy: {
      zh: "SDK 的认证信息无效：请核对设备SN与时间，并重启刷脸模组。",
      en: "The SDK's credentials are invalid: check the device's serial number and clock, then restart the bridge.",
    },
  },
  {
    errCode: [271375364],
    remedy: { zh: "微信后台错误：请稍后重试。", en: "An error at WeChat: try again later." },
  },
  {
    errCode: [33, 31, -10001],
    remedy: {
      zh: "SDK 网络超时：请检查刷脸设备的网络、防火墙和代理参数。",
      en: "The SDK's network times out: check the face device's network, firewall and proxy parameters.",
    },
  },
  {
    said: /unable to get device sn/i,
    remedy: {
      zh: "SDK 读不到设备SN：请联系设备供应商写入 SN（Windows 为 C:\\serial.txt）。",
      en: "The SDK cannot read the device's serial number: have the vendor write it (Windows: C:\\serial.txt).",
    },
  },
  {
    said: /license error/i,
    remedy: {
      zh: "凭证不属于本机或网卡已更换：请重启刷脸模组，重新获取凭证。",
      en: "The authinfo is not for this device or network card: restart the bridge and have a new one obtained.",
    },
  },
  {
    said: /版本过低/,
    remedy: { zh: "刷脸 SDK 版本过低：请升级 SDK。", en: "The face SDK is too old: update it." },
  },
  {
    said: /硬件接口/,
    remedy: {
      zh: "硬件接口错误：请检查模组连线，并将 SDK 升级到 2.12 以上。",
      en: "Hardware interface error: check the module's cable and update the SDK to 2.12 or later.",
    },
  },
  {
    said: /not registered/i,
    remedy: {
      zh: "微信刷脸服务没有运行：请启动它，然后重启刷脸模组。",
      en: "The face service does not run: start it, then restart the bridge.",
    },
  },
  {
    nativeStatus: [-1, 193],
    remedy: {
      zh: "SDK 服务没有启动或权限不足：请以管理员启动 WxpayFaceService，再重启刷脸模组。",
      en: "The SDK's service is not started or lacks rights: start WxpayFaceService as administrator, then restart the bridge.",
    },
  },
];

interface SdkFacts {
  readonly errCode?: number;
  readonly nativeStatus?: number;
  readonly said?: string;
}

/** What the SDK has said of a failure of its own, from the failure's parameters. */
function sdkFacts(code: string, { variant, errCode, said, status }: Readonly<Record<string, unknown>>): SdkFacts {
  if (code === "SDK_NOT_INITIALISED") return { errCode: variant === "initialising" ? 271378621 : 271378620 };
  return {
    ...(typeof errCode === "number" ? { errCode } : {}),
    ...(typeof said === "string" ? { said } : {}),
    ...(typeof status === "number" ? { nativeStatus: status } : {}),
  };
}

/** What to do about a failure of the SDK's; undefined where nothing nearer is known than the check's own remedy. */
export function sdkRemedy(code: string, params: Readonly<Record<string, unknown>>): Bilingual | undefined {
  if (!code.startsWith("SDK_")) return undefined;
  const { errCode, nativeStatus, said }: SdkFacts = sdkFacts(code, params);
  const fits = (rule: Rule) =>
    (errCode !== undefined && rule.errCode?.includes(errCode)) ||
    (nativeStatus !== undefined && rule.nativeStatus?.includes(nativeStatus)) ||
    (said !== undefined && rule.said?.test(said));
  return rules.find(fits)?.remedy;
}
