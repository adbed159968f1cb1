import type { Bilingual } from "../language.ts";
import type { RemedyRule } from "./remedy-rule.ts";

export const wrongDevice: Bilingual = {
  zh: "请改正配置中的 driver.type 和 driver.path。",
  en: "Correct driver.type and driver.path in the configuration.",
};

/** What to do about the bridge and the SDK where the failure itself tells more than its code. */
export const lineRules: readonly RemedyRule[] = [
  { code: /^BRIDGE_OPEN_FAILED$/, detail: / is not a serial device$/, remedy: wrongDevice },
  {
    code: /^SDK_RAWDATA_INVALID$/,
    remedy: {
      zh: "SDK 返回的 rawdata 无效：请检查摄像头连接，并升级硬件桥程序。",
      en: "The SDK's rawdata is invalid: check the camera's cable and update the bridge's program.",
    },
  },
];
