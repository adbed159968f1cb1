/** Everything that must never be seen from outside, each with what it means. */
const invariants = {
  expired: "an authinfo served after WeChat Pay's own expiry",
  unknown: "an authinfo that WeChat Pay never issued",
  unbelievable: "an authinfo from an answer that does not verify",
  fallen: "a generation that fell",
  twofold: "two authinfos under one generation",
  broken_promise: "an authinfo announced as persisted and lost",
  refused: "a refusal while a served authinfo had life left",
  unavailable: "a refusal while everything worked",
  silent: "no answer from an agent that was up",
  not_fresh: "no fresh authinfo within the promised time",
  event_missing: "a change that subscribers were not told",
  spacing: "two attempts within a second",
  many_calls: "more calls than any retry rule allows",
  bad_request: "a request the simulator found wrong",
  bridge_protocol: "a breach of the bridge's protocol",
  slow_answers: "answers slower than promised",
  memory: "memory that grows",
  descriptors: "open files that grow",
  children: "a child process or a zombie",
  leftovers: "files left behind",
  torn_copy: "a torn or wrong file copy",
  log_volume: "a log that floods",
  secret: "a piece of an authinfo where none may be",
  stdout: "output of `run` on stdout",
  exit: "an exit the contract does not know",
  slow_start: "a start that took too long",
} as const;

export type Invariant = keyof typeof invariants;

const TOLD = 10;

/** Counts what was broken and keeps the first of each in words. */
export class Violations {
  readonly #counts = new Map<Invariant, number>();
  readonly #tell: (line: string) => void;
  /** What else is going on, for whoever has to find the cause. */
  circumstances: () => string = () => "";

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  count(invariant: Invariant): number {
    return this.#counts.get(invariant) ?? 0;
  }

  readonly report = (invariant: Invariant, detail: string): void => {
    const count = this.count(invariant) + 1;
    this.#counts.set(invariant, count);
    if (count > TOLD) return;
    this.#tell(`VIOLATION ${invariant} (${invariants[invariant]}): ${detail} [${this.circumstances()}]`);
  };
}

export type Report = Violations["report"];
