import type { FailureFacts } from "../../common/errors.ts";
import type { Remedy } from "./remedy.ts";

/** A failure as far as what is to be done about it depends on it, whoever shows it: the table of remedies sees nothing else. */
export interface Failure extends FailureFacts {
  readonly code: string;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  readonly mode?: "direct" | "gateway" | undefined;
  /** All that are configured. */
  readonly baseUrls?: readonly string[] | undefined;
}

/** Every condition that is named has to hold; the first rule that fits counts. */
export interface RemedyRule {
  readonly code?: RegExp;
  readonly status?: number | "none";
  readonly mode?: Failure["mode"];
  readonly reason?: RegExp;
  /** What WeChat Pay itself says in a refusal, which comes without a finer code. Never a text of ours. */
  readonly message?: RegExp;
  /** A parameter of the failure, and its value. */
  readonly param?: readonly [name: string, value: unknown];
  /** Of the base URLs: all are WeChat Pay's own, or one is the merchant's. */
  readonly hosts?: "wechat" | "own";
  /** `{urls}` and `{hosts}` and `{ports}` stand for those of the configured base URLs. */
  readonly remedy: Remedy;
}
