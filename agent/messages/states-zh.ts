import type { SameTexts } from "./same-texts.ts";
import type { statesEn } from "./states-en.ts";

export const statesZh: SameTexts<typeof statesEn> = {
  "state.fresh": "有效",
  "state.due": "有效，正在更新",
  "state.rejected": "被 SDK 拒绝，正在更新",
  "state.stale": "已过期（推定）",
  "state.expired": "已过期",
  "state.absent": "尚未获取",
  "state.unprovisioned": "尚未配置",
  "state.held": ({ word, generation, minutes }) => `${word}，第 ${generation} 份，剩余 ${minutes} 分钟`,
};
