import type { Bilingual } from "../common/language.ts";
import type { AuthinfoState } from "../credential/credential-types.ts";

/** What a technician calls each state. */
export const stateTexts: Readonly<Record<AuthinfoState, Bilingual>> = {
  fresh: { zh: "有效", en: "fresh" },
  due: { zh: "有效，正在更新", en: "due: still good, being renewed" },
  rejected: { zh: "被 SDK 拒绝，正在更新", en: "rejected by the SDK, being renewed" },
  stale: { zh: "已过期（推定）", en: "stale: past its assumed expiry" },
  expired: { zh: "已过期", en: "expired" },
  absent: { zh: "尚未获取", en: "absent" },
  unprovisioned: { zh: "尚未配置", en: "unprovisioned" },
};
