import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Bilingual } from "../../common/language.ts";
import { reloadCommand, startCommand } from "../../messages/start-command.ts";
import type { AgentReading, Check, DiagnoseContext } from "../check.ts";
import { type Exit, exitOf, firstOf, isBad, type Result, type Status } from "../engine.ts";
import { agentPid, operatingSystemOf } from "../facts.ts";

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
    ...{ id, code, section, title, status },
    value: value ?? null,
    threshold: { warn: threshold.warn ?? null, fail: threshold.fail ?? null },
    detail,
    remedy: open ? remedy : null,
    doc: docOf(check),
    depends_on: dependsOn,
    skipped_because: because ?? null,
    duration_ms: Math.round(durationMs),
  };
}

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
    advice: adviceOf(first, results, {
      ...{ agent: context.agent.kind, installed: context.installed, configFile: context.configFile },
      privileged: context.privileged,
      pid: await agentPid(context),
    }),
    checks: results.map(reportedCheck),
  };
}

/** How the agent that is looked at is started, and whether it is. */
export interface FileContext {
  readonly agent: AgentReading["kind"];
  readonly installed: boolean;
  readonly configFile: string;
  readonly privileged: boolean;
  /** Of the agent, where it is known. */
  readonly pid?: number | undefined;
}

/** Failures whose own remedy starts the agent. */
const STARTING = new Set(["svc.enabled", "svc.running", "pay.authinfo"]);

/** The last line: what to do first, and enough of the why to do it. Pure. */
export function adviceOf(
  first: Result | undefined,
  results: readonly Result[],
  { agent, installed, configFile, privileged, pid }: FileContext,
): Bilingual {
  const barred = isBarred(privileged, agent);
  const sudo = privileged || barred ? nothing : { zh: "（用 sudo 运行可检查全部项目）", en: " (sudo shows the rest)" };
  if (barred) {
    const [zh, en] =
      first === undefined
        ? ["", ""]
        : [
            ` 目前所见 [${first.check.code} ${first.check.id}] ${first.detail.zh}。`,
            ` Seen so far: [${first.check.code} ${first.check.id}] ${first.detail.en}.`,
          ];
    return {
      zh: `请先用 sudo 重新运行：当前用户没有权限询问服务，多数项目无法检查。${zh.trim()}`,
      en: `Run this again with sudo first: this user may not ask the agent, and most could not be checked.${en}`,
    };
  }
  const start = startCommand({ installed, configFile });
  if (first !== undefined && results.some(isBad)) {
    const { check, detail } = first;
    const { id, code } = check;
    const remedy = agent === "absent" ? withoutRestart(first.remedy) : first.remedy;
    // Fixed is not started: whoever does only what this line says has to end with an agent at work.
    const reload = reloadCommand({ installed }, pid);
    const also =
      agent === "absent" && !STARTING.has(id)
        ? { zh: `然后启动服务：${start}，再执行`, en: `Then start the agent: ${start}, and run` }
        : agent === "running" && (id === "cfg.valid" || editsConfiguration(remedy)) && !isReload(remedy)
          ? { zh: `然后让服务读取：${reload}，再执行`, en: `Then make the agent read it: ${reload}, and run` }
          : { zh: "然后执行", en: "Then run" };
    const anew = isOld(first.value)
      ? { zh: " facepay-agent refresh，再执行", en: " facepay-agent refresh, and" }
      : nothing;
    return {
      zh: `先处理 [${code} ${id}] ${detail.zh}。${remedy.zh}${also.zh}${anew.zh} facepay-agent diagnose --only ${id}。${sudo.zh}`,
      en: `Do this first [${code} ${id}] ${detail.en}. ${remedy.en} ${also.en}${anew.en} facepay-agent diagnose --only ${id}.${sudo.en}`,
    };
  }
  const verdict =
    agent === "absent"
      ? {
          zh: `没有发现故障，但服务没有运行，请启动：${start}。`,
          en: `No failure was found, but the agent is not running: ${start}.`,
        }
      : results.every(({ status }) => status === "skip")
        ? { zh: "没有可检查的项目。", en: "There was nothing that could be checked." }
        : first === undefined
          ? { zh: "一切正常。", en: "All is well." }
          : { zh: "没有故障。", en: "No failure." };
  if (first === undefined) return { zh: verdict.zh + sudo.zh, en: verdict.en + sudo.en };
  const { check, remedy } = first;
  return {
    zh: `${verdict.zh}可以改进的第一项 [${check.code} ${check.id}]：${remedy.zh}${sudo.zh}`,
    en: `${verdict.en} First to improve [${check.code} ${check.id}]: ${remedy.en}${sudo.en}`,
  };
}

/** The agent has met it, and repeats it until it asks anew (`asOf`). */
function isOld(value: unknown): boolean {
  return typeof value === "object" && value !== null && "since" in value;
}

/** What does not run is not restarted: the advice goes on to start it. */
function withoutRestart({ zh, en }: Bilingual): Bilingual {
  return { zh: zh.replace(/，然后重启服务(?=。)/, ""), en: en.replace(/, then restart the service(?=\.)/, "") };
}

/** What only the service's user and root may look at is most of it: whatever is found without that is a guess. */
function isBarred(privileged: boolean, agent: AgentReading["kind"]): boolean {
  return !privileged && agent === "forbidden";
}

/** A remedy after which the file is another one. */
function editsConfiguration({ en }: Bilingual): boolean {
  return /\b(in the configuration|base_urls|baud_rate|ca_file|(driver|identity|wechatpay|store|api)\.[a-z_]+)\b/.test(
    en,
  );
}

/** A remedy that ends with the agent reading its configuration, which provision sees to as well. */
function isReload({ en }: Bilingual): boolean {
  return /kill -HUP|reload|provision/.test(en);
}

const nothing: Bilingual = { zh: "", en: "" };

/** Tells two reports of one machine from those of two, and names no machine. */
async function machineIdHash(): Promise<string | null> {
  const id = await readFile("/etc/machine-id", "utf8").catch(() => "");
  return id.trim() === "" ? null : createHash("sha256").update(`facepay-agent ${id.trim()}`).digest("hex").slice(0, 12);
}
