import type { Bilingual } from "../common/language.ts";

/** "1 h 2 min", "23 min 12 s", "9 s". */
export function durationText(seconds: number): Bilingual {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  if (hours > 0) return { zh: `${hours} 小时 ${minutes} 分`, en: `${hours} h ${minutes} min` };
  if (minutes > 0) return { zh: `${minutes} 分 ${rest} 秒`, en: `${minutes} min ${rest} s` };
  return { zh: `${rest} 秒`, en: `${rest} s` };
}

/**
 * How far this terminal's clock is off WeChat Pay's, with the direction in words: nobody knows whose sign a signed number has.
 * @param skewS WeChat Pay's clock minus this one, seconds
 */
export function offsetText(skewS: number): Bilingual {
  const off = Math.abs(skewS);
  if (off < 1) return { zh: "与微信支付相差不到 1 秒", en: "within a second of WeChat Pay's clock" };
  const ahead = skewS < 0;
  const amount =
    off < 600 ? { zh: ` ${Math.round(off * 10) / 10} 秒`, en: `${Math.round(off * 10) / 10} s` } : about(off);
  return {
    zh: `比微信支付${ahead ? "快" : "慢"}${amount.zh}`,
    en: `${amount.en} ${ahead ? "ahead of" : "behind"} WeChat Pay's clock`,
  };
}

function about(seconds: number): Bilingual {
  if (seconds < 5_400)
    return { zh: `约 ${Math.round(seconds / 60)} 分钟`, en: `about ${Math.round(seconds / 60)} min` };
  if (seconds < 172_800)
    return { zh: `约 ${Math.round(seconds / 3_600)} 小时`, en: `about ${Math.round(seconds / 3_600)} h` };
  return { zh: `约 ${Math.round(seconds / 86_400)} 天`, en: `about ${Math.round(seconds / 86_400)} days` };
}
