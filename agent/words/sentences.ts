import type { Bilingual } from "../language.ts";
import { bridgeSentences } from "./bridge-sentences.ts";
import { localSentences } from "./local-sentences.ts";
import { gatewayWordsInEnglish, networkSentences } from "./network-sentences.ts";
import type { SentencePattern } from "./sentence-pattern.ts";

const sentences: readonly SentencePattern[] = [...bridgeSentences, ...networkSentences, ...localSentences];

/** The error messages of Node, of a program, of a peer: two English words side by side. */
const ENGLISH = /[A-Za-z]{2,}[,;:.]? [A-Za-z]{2,}/;

/**
 * An error's message for people. It travels as one English text, through log, status and sockets, and is decided about by its code alone;
 * only here, where it is shown, is it put into words. What no sentence of ours is, is somebody else's: shown as it is, in 「」.
 */
export function sentence(english: string): Bilingual {
  return { zh: inChinese(english), en: gatewayWordsInEnglish(english) };
}

/** "CODE what has happened". */
export function failureSentence({ code, detail = "" }: { readonly code: string; readonly detail?: string }): Bilingual {
  // A refused configuration is a list of problems, several lines long: the command shows it as it should look.
  const told =
    code === "CONFIG_INVALID" && known(detail) === undefined
      ? { zh: "配置有误，执行 facepay-agent config check 查看", en: detail }
      : sentence(detail);
  return { zh: `${code} ${told.zh}`.trim(), en: `${code} ${told.en}`.trim() };
}

function inChinese(english: string): string {
  return known(english) ?? (ENGLISH.test(english) ? `「${english}」` : english);
}

function known(english: string): string | undefined {
  for (const [pattern, chinese] of sentences) {
    const match = pattern.exec(english);
    if (match !== null) return filled(chinese, match);
  }
  return undefined;
}

function filled(chinese: string, match: RegExpExecArray): string {
  return chinese.replace(/\$(\d)|\{(:?)(\d)\}/g, (_all, plain?: string, colon?: string, nested?: string) => {
    const part = match[Number(plain ?? nested)] ?? "";
    if (plain !== undefined) return part;
    return part === "" ? "" : `${colon === ":" ? "：" : ""}${inChinese(part)}`;
  });
}
