import type { Text } from "../../messages/message.ts";

/** One thing to be shown. Without a label it belongs to the row before it. */
export interface Row {
  readonly label?: Text;
  readonly value: Text;
  readonly tone?: Tone;
  /** Instead of words: how much is left, 0 to 1, before the words. */
  readonly bar?: number;
}

export type Tone = "good" | "warn" | "bad";
