import { sayText } from "../../messages/text-of.ts";
import type { Check } from "../check.ts";
import { type Console, cut, padded } from "../report/console.ts";

/** `--list`: every check with what it warns of and fails for. */
export function listing(checks: readonly Check[], { language, columns }: Console): string {
  const lines = checks
    .toSorted((a, b) => a.code - b.code)
    .map((check) => {
      const { code, id, title, threshold } = check;
      const { warn, fail } = threshold;
      const limits = [
        ...(warn === undefined ? [] : [{ id: "report.limit_warn", params: { limit: warn } } as const]),
        ...(fail === undefined ? [] : [{ id: "report.limit_fail", params: { limit: fail } } as const]),
      ];
      const text = sayText({ id: "report.limits", params: { title, limits } }, language);
      return cut(`${code}  ${padded(id, 20)} ${text}`, columns);
    });
  return `${lines.join("\n")}\n`;
}

/** One line while it works. */
export function progressLine(check: Check, number: number, of: number, { language, columns }: Console): string {
  return cut(`[${number}/${of}] ${check.code} ${sayText(check.title, language)} ...`, columns - 1);
}
