/**
 * An English sentence of ours as a pattern, and its Chinese. `$1` stands for what the sentence names; `{1}` for a part that is a sentence
 * itself; `{:1}` for one that may be missing, with a colon before it. A peer's own words stand in 「」 untranslated.
 */
export type SentencePattern = readonly [english: RegExp, chinese: string];
