import type { AnyMessage } from "./message.ts";

/** "1 h 2 min", "23 min 12 s", "9 s". */
export function durationText(seconds: number): AnyMessage {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, min, s] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  if (h > 0) return { id: "duration.h_min", params: { h, min } };
  return min > 0 ? { id: "duration.min_s", params: { min, s } } : { id: "duration.s", params: { s } };
}

/**
 * How far this terminal's clock is off WeChat Pay's.
 * @param skewS WeChat Pay's clock minus this one, seconds
 */
export function offsetText(skewS: number): AnyMessage {
  const off = Math.abs(skewS);
  if (off < 1) return { id: "clock.close" };
  return { id: skewS < 0 ? "clock.ahead" : "clock.behind", params: { amount: roughDuration(off) } };
}

/** Precise while that means something, else "about 4 h". */
export function roughDuration(seconds: number): AnyMessage {
  if (seconds < 600) return { id: "duration.s", params: { s: Math.round(seconds * 10) / 10 } };
  if (seconds < 5_400) return { id: "duration.about_min", params: { min: Math.round(seconds / 60) } };
  if (seconds < 172_800) return { id: "duration.about_h", params: { h: Math.round(seconds / 3_600) } };
  return { id: "duration.about_days", params: { days: Math.round(seconds / 86_400) } };
}
