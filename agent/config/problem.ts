import type { AnyMessage } from "../messages/message.ts";

/** One thing wrong with the configuration, or a warning: what it is and what to write or do instead. Never a secret. */
export interface Problem {
  /** "section.key", the name of an environment variable, or "" for a file as a whole. */
  readonly key: string;
  /** Where it stands: "file:line", "file:line:column", the environment variable, or the file where it is missing. */
  readonly origin: string;
  /** Said of the key or the file. */
  readonly what: AnyMessage;
  /** A sentence. */
  readonly instead: AnyMessage;
  /** The file that this user has no right to read: perhaps no fault at all. */
  readonly unreadable?: string;
  /** What is not to be trusted on the way to a file: told once for all that lie there. */
  readonly place?: string;
  /** The diagnose check that it is a matter of, where that is not the file itself. */
  readonly check?: "key.match" | "cert.expiry";
}

/** What is wrong with a value or a file, wherever it stands. */
export type Fault = Pick<Problem, "what" | "instead" | "unreadable" | "place">;

/** The outcome of looking at one value. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  /** `instead` is given where the field's example would not be the best advice. */
  | { readonly ok: false; readonly what: AnyMessage; readonly instead?: AnyMessage };
