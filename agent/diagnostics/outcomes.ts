import { type Distrusted, distrustText } from "../common/files/trust.ts";
import { localTime } from "../common/local-time.ts";
import type { Text } from "../messages/message.ts";
import type { Outcome } from "./check.ts";
import { octal } from "./host/rights.ts";

interface More {
  readonly value?: unknown;
  readonly remedy?: Text | undefined;
}

export function found(status: "pass" | "warn" | "fail", detail: Text, { value, remedy }: More = {}): Outcome {
  return {
    status,
    ...(value === undefined ? {} : { value }),
    detail,
    ...(remedy === undefined ? {} : { remedy }),
  };
}

/**
 * What the agent observed, not this run. The text says how to ask again after a fix: after a refusal the agent waits up
 * to five minutes by itself (docs/specification.md section 4), and until then every diagnose repeats what it knows.
 * @param since RFC 3339; undefined from an agent that does not say
 */
export function asOf(since: string | undefined, outcome: Outcome): Outcome {
  if (since === undefined || outcome.status === "skip") return outcome;
  const { detail, value } = outcome;
  const at = localTime(since);
  return {
    ...outcome,
    value: { ...(value as object), since },
    detail: { id: "turn.met_since", params: { detail, at } },
  };
}

/** What cannot be learned here. `because`: the check whose failure is the reason. */
export function skipped(detail: Text, because?: string): Outcome {
  return { status: "skip", detail, ...(because === undefined ? {} : { because }) };
}

export function withoutConfig(): Outcome {
  return skipped({ id: "turn.no_configuration" }, "cfg.valid");
}

type Skip = Outcome & { readonly status: "skip" };

export const needsSudo: Skip = {
  status: "skip",
  detail: { id: "turn.needs_sudo" },
};

export const notRunning: Skip = { status: "skip", detail: { id: "turn.not_running" } };

export const notInstalled: Skip = {
  status: "skip",
  detail: { id: "turn.not_installed" },
};

export const systemdLate: Skip = {
  status: "skip",
  detail: { id: "turn.systemd_late" },
};

export const nothingKept: Skip = {
  status: "skip",
  detail: { id: "turn.nothing_kept" },
};

/** A file or directory by which others could decide whom the agent trusts. */
export function distrusted(found: Distrusted): Exclude<Outcome, Skip> {
  const { what, instead } = distrustText(found);
  const { place, uid, mode } = found;
  return {
    status: "fail",
    value: { file: place, mode: octal(mode), uid },
    detail: what,
    remedy: instead,
  };
}
