import { type Language, say } from "../../agent/common/language.ts";

/** Tells a person one thing, in the language chosen. */
export type Print = (zh: string, en: string) => void;

export function printerFor(language: Language): Print {
  return (zh, en) => {
    const lines = language === "both" ? [zh, en] : [say({ zh, en }, language)];
    for (const line of lines) process.stdout.write(`${line}\n`);
  };
}
