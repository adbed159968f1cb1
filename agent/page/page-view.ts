import type { HistoryDocument } from "../api/history-document.ts";
import type { StatusDocument } from "../api/status-document.ts";
import type { Report } from "../diagnostics/report/report.ts";
import type { Text } from "../messages/message.ts";

export type Tone = "good" | "warn" | "bad";

/** One row of what `status` shows. */
export interface Fact {
  readonly label?: Text;
  readonly value: Text;
  readonly tone?: Tone;
}

/** One look at the agent. */
export type Look =
  | {
      readonly kind: "running";
      readonly status: StatusDocument;
      readonly facts: readonly Fact[];
      /** What a terminal without a configuration wants. */
      readonly setUp: Text | undefined;
      /** An older agent has none. */
      readonly history: HistoryDocument | undefined;
    }
  | {
      readonly kind: "unreachable";
      /** That it is not there, and what to do. */
      readonly words: Text;
      readonly facts: readonly Fact[];
    };

/** What a button has set going. */
export interface Action {
  readonly running: boolean;
  /** What came of it last; undefined before the first time. */
  readonly outcome: { readonly text: Text; readonly remedy?: Text; readonly good: boolean } | undefined;
}

/** All that one rendering of the page shows. */
export interface PageView {
  readonly atWallMs: number;
  readonly version: string;
  readonly look: Look;
  readonly report: Report | undefined;
  readonly refresh: Action;
  readonly diagnose: Action;
}

/** Something that is wrong, and what to do about it. */
export interface Finding {
  readonly tone: "warn" | "bad";
  readonly what: Text;
  /** RFC 3339. */
  readonly since?: string;
  readonly remedy: Text | undefined;
}
