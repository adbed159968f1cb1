import type { Bilingual } from "../language.ts";
import { sentence } from "./sentences.ts";

/** What is wrong with the seal's key, and the one thing to do about it: its message names both (agent/store/store-key.ts). */
export function sealKeyWords(message: string): { readonly fault: Bilingual; readonly remedy: Bilingual } | undefined {
  const [, fault, remedy] = /^(the key file \S+ [^:]+): (.+)$/.exec(message) ?? [];
  if (fault === undefined || remedy === undefined) return undefined;
  const { zh, en } = sentence(remedy);
  return { fault: sentence(fault), remedy: { zh: `${zh}。`, en: `${en.charAt(0).toUpperCase()}${en.slice(1)}.` } };
}
