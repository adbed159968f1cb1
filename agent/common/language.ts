/** A sentence for people, in both languages of the product. A line that begins with a space is a command to type. */
export interface Bilingual {
  readonly zh: string;
  readonly en: string;
}

export type Language = "zh-CN" | "en" | "both";

export const languages: readonly Language[] = ["zh-CN", "en", "both"];

/** `--lang`, else LC_ALL or LANG, else both (specification 1). The C locale names no language. */
export function chooseLanguage(flag: string | undefined, env: Readonly<Record<string, string | undefined>>): Language {
  const asked = languages.find((language) => language === flag);
  if (asked) return asked;
  const locale = env.LC_ALL || env.LANG || "";
  if (/^zh/i.test(locale)) return "zh-CN";
  if (/^en/i.test(locale)) return "en";
  return "both";
}

/** The sentence in the chosen language; in both, Chinese first, on one line where neither has more. */
export function say(text: Bilingual, language: Language): string {
  if (language === "both") {
    if (text.zh === text.en) return text.en;
    return `${text.zh}${/\n/.test(text.zh + text.en) ? "\n" : " / "}${text.en}`;
  }
  return language === "en" ? text.en : text.zh;
}
