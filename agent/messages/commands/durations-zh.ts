import type { SameTexts } from "../same-texts.ts";
import { spaced } from "../spaced.ts";
import type { durationsEn } from "./durations-en.ts";

export const durationsZh: SameTexts<typeof durationsEn> = {
  "duration.h_min": ({ h, min }) => `${h} 小时 ${min} 分钟`,
  "duration.min_s": ({ min, s }) => `${min} 分 ${s} 秒`,
  "duration.s": ({ s }) => `${s} 秒`,
  "duration.about_min": ({ min }) => `约 ${min} 分钟`,
  "duration.about_h": ({ h }) => `约 ${h} 小时`,
  "duration.about_days": ({ days }) => `约 ${days} 天`,
  "clock.close": "与微信支付相差不到 1 秒",
  "clock.ahead": ({ amount }) => `比微信支付快${spaced(amount)}`,
  "clock.behind": ({ amount }) => `比微信支付慢${spaced(amount)}`,
};
