import type { StatusDocument } from "../api/status-document.ts";
import type { Clock } from "../common/clock.ts";
import type { Random } from "../common/random.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Text } from "../messages/message.ts";

/** The sections of the report, in the order they are shown. */
export const sections = ["system", "time", "config", "bridge", "network", "store"] as const;
export type Section = (typeof sections)[number];

/** What a check found. It never says `crash`: that is said of one that threw. */
export type Outcome =
  | {
      readonly status: "pass" | "warn" | "fail";
      /**
       * The measured value, as a number, a word or a small object: for programs. Other checks read these keys of it:
       * `device_id` of ser.handshake (what the bridge names, or null) and `skew_s` of pay.reach (the peer's `Date` minus this
       * clock, in seconds, when an answer carried one).
       */
      readonly value?: unknown;
      /** What was found, in a sentence. Never a secret, nor a part of one. */
      readonly detail: Text;
      /** What to do, when it is more exact than the remedy of the check. */
      readonly remedy?: Text;
    }
  | {
      readonly status: "skip";
      /** Why this cannot be learned here; an unknown is never a fail. */
      readonly detail: Text;
      /** The id of the check whose subject is missing, when it is one's fault. */
      readonly because?: string;
    };

/**
 * One thing that a technician can fix. Codes and ids are those of docs/operations/diagnose.md and are never used for anything else.
 */
export interface Check {
  readonly id: string;
  readonly code: number;
  readonly section: Section;
  readonly title: Text;
  /** Ids of checks that come earlier: when one of them has failed or was skipped for a cause, this one is skipped. */
  readonly dependsOn: readonly string[];
  /** Ids of checks whose outcome this one looks at: they come earlier, too, but their failure alone does not skip it. */
  readonly after?: readonly string[];
  /** What counts as a warning and as a failure, in the words of the report. */
  readonly threshold: { readonly warn?: Text; readonly fail?: Text };
  /** `checkRemedy(id)` of agent/messages/remedies/remedies.ts: one text for one thing. */
  readonly remedy: Text;
  /** Its warning tells of how this terminal is made, not of what has happened: any other warning is turned to first. */
  readonly standing?: true;
  /** A network check is left out by `--offline`. */
  readonly needsNetwork?: boolean;
  /** Ms; beyond it nothing is said of the subject. What a check waits for has a deadline of its own, which it judges. */
  readonly timeoutMs?: number;
  run(context: DiagnoseContext, signal: AbortSignal): Promise<Outcome>;
}

/** The user that files, serial line and sockets are judged for: the service's user, not the one who runs the command. */
export interface ServiceUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** All groups of the user and of the unit. */
  readonly gids: readonly number[];
}

/** What the running agent says of itself, or why it says nothing. */
export type AgentReading =
  | { readonly kind: "running"; readonly status: Partial<StatusDocument> }
  | { readonly kind: "absent" | "forbidden" | "silent" };

/** A configuration that is tried before it is kept. The agent at work has another, and nothing that it says counts. */
export interface Trial {
  /** What the file is to hold. */
  readonly text: string;
  /** What the files it names are to hold, by path. Secrets among them. */
  readonly files: ReadonlyMap<string, Buffer>;
}

/** Who has the line to the bridge that is on trial. */
export type LineHolder =
  /** The agent at work: calls go through its queue, over the line as it has set it. `untried`: keys of the line that the trial would change. */
  | {
      readonly kind: "agent";
      readonly adminSocket: string;
      readonly apiSocket: string;
      readonly untried: readonly string[];
    }
  | { readonly kind: "unasked"; readonly why: "forbidden" | "silent" }
  | { readonly kind: "nobody" };

/** What all checks see. Facts that several of them need are read once. */
export interface DiagnoseContext {
  readonly configFile: string;
  /** Only in a trial. */
  readonly trial?: Trial & { readonly holder: LineHolder };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The configuration in force: the file's, else the remembered one; undefined without either. */
  readonly loaded: LoadedConfig | undefined;
  /** Of a trial always absent. */
  readonly agent: AgentReading;
  readonly adminSocket: string;
  readonly apiSocket: string;
  readonly user: ServiceUser;
  /** The command runs as root or as that user, so that an unreadable file is a fault of the file. */
  readonly privileged: boolean;
  /** Whether a unit facepay-agent.service is installed and systemd is process 1. */
  readonly installed: boolean;
  readonly clock: Clock;
  readonly random: Random;
  /** The outcome of a check that has run already; `crash` when it threw. */
  outcome(id: string): Outcome | { readonly status: "crash" } | undefined;
  /** Reads a fact the first time it is asked for, and gives the same answer afterwards. */
  once<T>(name: string, read: () => Promise<T>): Promise<T>;
}
