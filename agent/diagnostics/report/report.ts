import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Bilingual } from "../../common/language.ts";
import { NO_CAUSE } from "../../common/support/cause-numbers.ts";
import { encodeSupportCode, type SupportState, supportStates } from "../../common/support/support-code.ts";
import type { Text } from "../../messages/message.ts";
import { textIn, textOf } from "../../messages/text-of.ts";
import type { AgentReading, Check, DiagnoseContext } from "../check.ts";
import { type Exit, exitOf, firstOf, isBad, type Result, type Status } from "../engine.ts";
import { agentPid, operatingSystemOf } from "../facts.ts";
import { adviceOf, isBarred } from "./advice.ts";

export const SCHEMA = "facepay-agent.diagnose/1";

/** One check in the report for programs (specification 8). */
export interface ReportedCheck {
  readonly id: string;
  readonly code: number;
  readonly section: string;
  readonly title: Bilingual;
  readonly status: Status;
  readonly value: unknown;
  readonly threshold: { readonly warn: string | null; readonly fail: string | null };
  readonly detail: Bilingual;
  /** Null where there is nothing to do: the check has passed, or was skipped. */
  readonly remedy: Bilingual | null;
  readonly doc: string;
  readonly depends_on: readonly string[];
  readonly skipped_because: string | null;
  readonly duration_ms: number;
}

/** The report without its checks. */
export interface ReportHead {
  readonly schema: typeof SCHEMA;
  readonly agent_version: string;
  /** To be read out on the telephone; the same in a bundle. */
  readonly run_id: string;
  /** What is wrong, for `facepay-agent support` (specification 11). */
  readonly support_code: string;
  readonly started_at: string;
  readonly duration_ms: number;
  readonly host: {
    readonly machine_id_hash: string | null;
    readonly os: string | null;
    readonly kernel: string | null;
    readonly arch: string;
  };
  readonly agent: AgentReading["kind"];
  readonly service_user: string;
  readonly config_file: string;
  readonly summary: Readonly<Record<Status, number>> & { readonly exit: Exit };
  /** The check to turn to first; null when all is well. */
  readonly first: string | null;
  /** What to do first, in a sentence. */
  readonly advice: Bilingual;
}

export interface Report extends ReportHead {
  readonly checks: readonly ReportedCheck[];
}

export interface ReportParts {
  readonly version: string;
  readonly runId: string;
  readonly startedAtWallMs: number;
  readonly durationMs: number;
  readonly warningsAsErrors: boolean;
  readonly results: readonly Result[];
  readonly context: DiagnoseContext;
}

export function reportedCheck({ check, status, value, detail, remedy, because, durationMs }: Result): ReportedCheck {
  const { id, code, section, title, threshold, dependsOn } = check;
  const open = status === "warn" || status === "fail" || status === "crash";
  return {
    ...{ id, code, section, title: textOf(title), status },
    value: value ?? null,
    threshold: { warn: limit(threshold.warn), fail: limit(threshold.fail) },
    detail: textOf(detail),
    remedy: open ? textOf(remedy) : null,
    doc: docOf(check),
    depends_on: dependsOn,
    skipped_because: because ?? null,
    duration_ms: Math.round(durationMs),
  };
}

const limit = (text: Text | undefined) => (text === undefined ? null : textIn(text, "en"));

/** Where the documentation of a check stands. */
function docOf({ code }: Pick<Check, "code">): string {
  return `docs/operations/diagnose.md#${code}`;
}

export async function buildReport(parts: ReportParts): Promise<Report> {
  const { results, context, warningsAsErrors } = parts;
  const found = firstOf(results);
  // Beside what could not be seen a warning is nothing to begin with.
  const first = found && isBarred(context.privileged, context.agent.kind) && !isBad(found) ? undefined : found;
  const os = await operatingSystemOf(context).catch(() => undefined);
  const count = (status: Status) => results.filter((result) => result.status === status).length;
  return {
    schema: SCHEMA,
    agent_version: parts.version,
    run_id: parts.runId,
    support_code: supportCodeOf(parts, first),
    started_at: new Date(parts.startedAtWallMs).toISOString(),
    duration_ms: Math.round(parts.durationMs),
    host: {
      machine_id_hash: await machineIdHash(),
      os: os === undefined ? null : `${os.distro} ${os.release}`.trim(),
      kernel: os?.kernel ?? null,
      arch: process.arch,
    },
    agent: context.agent.kind,
    service_user: context.user.name,
    config_file: context.configFile,
    summary: {
      ...{ pass: count("pass"), warn: count("warn"), fail: count("fail"), skip: count("skip"), crash: count("crash") },
      exit: exitOf(results, warningsAsErrors),
    },
    first: first?.check.id ?? null,
    advice: textOf(
      adviceOf(first, results, {
        ...{ agent: context.agent.kind, installed: context.installed, configFile: context.configFile },
        privileged: context.privileged,
        pid: await agentPid(context),
      }),
    ),
    checks: results.map(reportedCheck),
  };
}

function supportCodeOf(
  { version, startedAtWallMs, results, context: { agent } }: ReportParts,
  first: Result | undefined,
) {
  const status = agent.kind === "running" ? agent.status : {};
  const { authinfo, bridge, last_error: last } = status;
  const notAsked: SupportState = agent.kind === "absent" ? "not_running" : "unknown";
  return encodeSupportCode({
    version: status.version ?? version,
    state: supportStates.find((state) => state === authinfo?.state) ?? notAsked,
    cause: first?.check.code ?? NO_CAUSE,
    lastedS: first && last ? (startedAtWallMs - Date.parse(last.since)) / 1_000 : undefined,
    deviceId: authinfo?.device_id ?? bridge?.device_id ?? deviceIdIn(results),
  });
}

/** Of the bridge that diagnose has asked itself. */
function deviceIdIn(results: readonly Result[]): string | undefined {
  const { value } = results.find(({ check }) => check.id === "ser.handshake") ?? {};
  const id = typeof value === "object" && value !== null && "device_id" in value ? value.device_id : undefined;
  return typeof id === "string" ? id : undefined;
}

/** Tells two reports of one machine from those of two, and names no machine. */
async function machineIdHash(): Promise<string | null> {
  const id = await readFile("/etc/machine-id", "utf8").catch(() => "");
  return id.trim() === "" ? null : createHash("sha256").update(`facepay-agent ${id.trim()}`).digest("hex").slice(0, 12);
}
