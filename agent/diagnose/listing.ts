import { say } from "../language.ts";
import type { Check } from "./check.ts";
import { type Console, cut, padded } from "./console.ts";

/** `--list`: every check with what it warns of and fails for. */
export function listing(checks: readonly Check[], { language, columns }: Console): string {
  const lines = checks
    .toSorted((a, b) => a.code - b.code)
    .map(({ code, id, title, threshold }) => {
      const limits = [threshold.warn && `warn: ${threshold.warn}`, threshold.fail && `fail: ${threshold.fail}`];
      const text = `${code}  ${padded(id, 20)} ${say(title, language)}; ${limits.filter((limit) => limit).join("; ")}`;
      return cut(text, columns);
    });
  return `${lines.join("\n")}\n`;
}

/** One line while it works. */
export function progressLine(check: Check, number: number, of: number, { language, columns }: Console): string {
  return cut(`[${number}/${of}] ${check.code} ${say(check.title, language)} ...`, columns - 1);
}
