import { spawn } from "node:child_process";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import path from "node:path";
import {
  type CaseResult,
  type CheckReport,
  checkBridge,
  checkCases,
} from "../../../drivers/conformance/check-bridge.ts";
import type { CheckLimits } from "../../../drivers/conformance/check-case.ts";
import type { OpenStream } from "../../../drivers/line/open-stream.ts";
import { serialStream } from "../../../drivers/line/serial-port.ts";
import { unixSocketStream } from "../../../drivers/line/unix-socket.ts";
import { type Clock, systemClock } from "../../common/clock.ts";
import { isAgentError } from "../../common/errors.ts";
import { chooseLanguage, type Language, say } from "../../common/language.ts";
import { systemRandom } from "../../common/random.ts";
import { failureReport } from "../../messages/failure-report.ts";
import { type BridgeOptions, BridgeUsage, CHECK_USAGE, lineConfig, wholeNumber } from "./bridge-options.ts";

const FAILED = 1;
const NOT_RUN = 4;

const marks = { pass: "PASS", fail: "FAIL", skip: "skip" } as const;

/** `facepay-agent bridge --check PATH`: 0 every case passed or was not to be tried, 1 a case failed, 3 usage, 4 it could not be run. */
export async function bridgeCheck(options: BridgeOptions): Promise<number> {
  const language = chooseLanguage(options.lang, process.env);
  try {
    if (options.list) {
      process.stdout.write(listing(options, language));
      return 0;
    }
    return await check(options, language);
  } catch (error) {
    if (error instanceof BridgeUsage) {
      process.stderr.write(`facepay-agent bridge --check: ${say(error.words, language)}\n`);
      return CHECK_USAGE;
    }
    if (!isAgentError(error)) throw error;
    process.stderr.write(`facepay-agent bridge --check: ${failureReport(error, language)}\n`);
    return NOT_RUN;
  }
}

async function check(options: BridgeOptions, language: Language): Promise<number> {
  const { json = false, restart } = options;
  const clock = systemClock();
  const place = path.resolve(options.check ?? "");
  const cases = chosenCases(options.only);
  const onResult = (result: CaseResult) => json || process.stdout.write(`${line(result, language)}\n`);
  const report = await checkBridge({
    open: await streamTo(place, options, clock),
    clock,
    random: systemRandom,
    limits: limitsOf(options),
    cases,
    onResult,
    ...(restart !== undefined && { restart: () => runCommand(restart) }),
  });
  process.stdout.write(json ? `${JSON.stringify(document(place, report), undefined, 2)}\n` : summary(report, language));
  return report.results.some(({ status }) => status === "fail") ? FAILED : 0;
}

/** What diagnose takes for unresponsive, the agent's own deadlines, and the silence after which it says hello (specification 3). */
function limitsOf({ calls, silence }: BridgeOptions): CheckLimits {
  return {
    helloMs: 5_000,
    callMs: 10_000,
    initMs: 15_000,
    quietMs: 200,
    rawDataGapMs: 1_100,
    silenceMs: wholeNumber("--silence", silence, 31, 0, 3_600, CHECK_USAGE) * 1_000,
    calls: wholeNumber("--calls", calls, 10_000, 1, 10_000_000, CHECK_USAGE),
  };
}

async function streamTo(place: string, options: BridgeOptions, clock: Clock): Promise<OpenStream> {
  const config = lineConfig(place, options, CHECK_USAGE);
  const found = await stat(place).catch(() => undefined);
  return found?.isCharacterDevice() ? serialStream(config, clock) : unixSocketStream(place, clock);
}

function chosenCases(only: string | undefined) {
  if (only === undefined) return checkCases;
  const wanted = only.split(",").map((id) => id.trim().toUpperCase());
  const unknown = wanted.filter((id) => !checkCases.some((one) => one.id === id));
  if (unknown.length > 0) {
    const words = { zh: `没有用例 ${unknown.join("、")}`, en: `there is no case ${unknown.join(", ")}` };
    throw new BridgeUsage(words, CHECK_USAGE);
  }
  return checkCases.filter(({ id }) => wanted.includes(id));
}

async function runCommand(command: string): Promise<void> {
  const child = spawn("/bin/sh", ["-c", command], { stdio: ["ignore", 2, 2] });
  const [code] = await once(child, "exit");
  if (code !== 0) {
    const words = { zh: `--restart 的命令失败（${code}）`, en: `the command of --restart failed (${code})` };
    throw new BridgeUsage(words, CHECK_USAGE);
  }
}

function line({ id, title, status, detail, ms }: CaseResult, language: Language): string {
  const said = say(detail, language);
  return `${marks[status]} ${id} ${say(title, language)}${said === "" ? "" : `: ${said}`} (${ms} ms)`;
}

function count({ results }: CheckReport, status: CaseResult["status"]): number {
  return results.filter((result) => result.status === status).length;
}

function summary(report: CheckReport, language: Language): string {
  const [passed, failed, skipped] = [count(report, "pass"), count(report, "fail"), count(report, "skip")];
  const first = report.results.find(({ status }) => status === "fail");
  const verdict = first
    ? {
        zh: `不符合协议：请先修复 ${first.id}（协议第 3 节：“${first.rule}”）`,
        en: `does not conform: fix ${first.id} first (specification 3: "${first.rule}")`,
      }
    : { zh: "符合协议", en: "conforms" };
  const counts = {
    zh: `通过 ${passed}，失败 ${failed}，未测 ${skipped}`,
    en: `${passed} passed, ${failed} failed, ${skipped} not tried`,
  };
  return `${say(counts, language)}\n${say(verdict, language)}\n`;
}

/** Only ever added to within /1. */
function document(place: string, report: CheckReport): Record<string, unknown> {
  return {
    schema: "facepay-agent.bridge-check/1",
    path: place,
    bridge: report.bridge,
    conforms: count(report, "fail") === 0,
    passed: count(report, "pass"),
    failed: count(report, "fail"),
    skipped: count(report, "skip"),
    cases: report.results.map(({ ms, ...result }) => ({ ...result, duration_ms: ms })),
  };
}

function listing({ json, only }: BridgeOptions, language: Language): string {
  const cases = chosenCases(only).map(({ id, title, rule }) => ({ id, title, rule }));
  if (json) return `${JSON.stringify(cases, undefined, 2)}\n`;
  return cases.map(({ id, title, rule }) => `${id} ${say(title, language)} ("${rule}")\n`).join("");
}
