import { type Bilingual, say } from "../../common/language.ts";
import { thresholdTexts } from "../../messages/threshold-texts.ts";
import type { Check } from "../check.ts";
import { type Console, cut, padded } from "../report/console.ts";

/** `--list`: every check with what it warns of and fails for. */
export function listing(checks: readonly Check[], { language, columns }: Console): string {
  const lines = checks
    .toSorted((a, b) => a.code - b.code)
    .map((check) => {
      const { code, id, title } = check;
      const limits = say(limitsOf(check), language);
      const semicolon = language === "zh-CN" ? "；" : "; ";
      return cut(`${code}  ${padded(id, 20)} ${say(title, language)}${semicolon}${limits}`, columns);
    });
  return `${lines.join("\n")}\n`;
}

function limitsOf({ id, threshold: { warn, fail } }: Check): Bilingual {
  const known: Readonly<Record<string, { readonly warn?: string; readonly fail?: string }>> = thresholdTexts;
  const chinese = known[id] ?? {};
  const list = (parts: readonly (string | undefined)[], semicolon: string) =>
    parts.filter((part) => part !== undefined).join(semicolon);
  return {
    zh: list([warn && `警告：${chinese.warn ?? warn}`, fail && `故障：${chinese.fail ?? fail}`], "；"),
    en: list([warn && `warn: ${warn}`, fail && `fail: ${fail}`], "; "),
  };
}

/** One line while it works. */
export function progressLine(check: Check, number: number, of: number, { language, columns }: Console): string {
  return cut(`[${number}/${of}] ${check.code} ${say(check.title, language)} ...`, columns - 1);
}
