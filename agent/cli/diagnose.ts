import { systemClock } from "../common/clock.ts";
import { systemCode } from "../common/errors.ts";
import { failureRules } from "../common/failures.ts";
import { chooseLanguage, type Language } from "../common/language.ts";
import { systemRandom } from "../common/random.ts";
import { version } from "../common/version.ts";
import type { Check, DiagnoseContext, Trial } from "../diagnostics/check.ts";
import { allChecks } from "../diagnostics/checks.ts";
import { createContext } from "../diagnostics/context.ts";
import { type Result, type Selection, shownOf, type Turn } from "../diagnostics/engine.ts";
import { leave } from "../diagnostics/force-exit.ts";
import { listing, progressLine } from "../diagnostics/host/listing.ts";
import { type Console, consoleOf } from "../diagnostics/report/console.ts";
import { buildReport, type Report, reportedCheck, SCHEMA } from "../diagnostics/report/report.ts";
import { renderReport } from "../diagnostics/report/text.ts";
import { runChecks } from "../diagnostics/run-checks.ts";
import type { AnyMessage, Text } from "../messages/message.ts";
import { sayText, textIn, textOf } from "../messages/text-of.ts";
import type { PackagedOptions } from "./options.ts";
import { qrFault, showQr } from "./support/show-qr.ts";

/** Specification 8; 0, 1 and 2 are the report's. */
const USAGE = 3;
const COULD_NOT_RUN = 4;
export const BUNDLE_MS = 10_000;

const sdkRemedyIds: ReadonlySet<string> = new Set(
  Object.values(failureRules)
    .map(({ remedy }) => remedy)
    .filter((id) => id.startsWith("sdk.")),
);

interface Asked {
  /** What is tried before it is kept. */
  readonly trial?: Trial;
  readonly selection: Selection;
  readonly timeoutMs: number;
}

/** `facepay-agent diagnose`: what a technician runs in the shop. Resolves to the exit code. */
export async function diagnose(options: PackagedOptions): Promise<number> {
  const language = chooseLanguage(options.lang, process.env);
  const asked = understand(options, allChecks);
  if ("id" in asked) {
    process.stderr.write(`${sayText(asked, language)}\n`);
    return USAGE;
  }
  const fault = qrFault(options);
  if (fault !== undefined) {
    process.stderr.write(`${sayText(fault, language)}\n`);
    return USAGE;
  }
  const console = consoleOf(options.lang, process.env, process.stdout);
  const reader = watchReader();
  if (options.list) {
    process.stdout.write(options.json ? `${JSON.stringify(allChecks.map(listed))}\n` : listing(allChecks, console));
    return 0;
  }
  try {
    const { report, results, context } = await examine(options, asked);
    if (options.json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    else if (!options.ndjson) process.stdout.write(renderReport(report, console));
    const kept = options.bundle === undefined || (await keepEvidence(options.bundle, report, context, language));
    const drawn = await showQr(options, console, report.support_code, failingIds(results));
    const refused = await reader.refused();
    if (refused !== undefined) throw refused;
    const exit = kept && drawn ? report.summary.exit : COULD_NOT_RUN;
    leave(
      exit,
      results.some(({ status }) => status === "crash"),
    );
    return exit;
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${sayText({ id: "diagnose.could_not_run", params: { error: what } }, language)}
`);
    return COULD_NOT_RUN;
  }
}

/** The failures in order of cause, then the warnings. */
function failingIds(results: readonly Result[]): string[] {
  const idsOf = (...wanted: readonly string[]) =>
    results.filter(({ status }) => wanted.includes(status)).map(({ check }) => check.id);
  return [...idsOf("fail", "crash"), ...idsOf("warn")];
}

/** What became of the words that were written. */
function watchReader() {
  let failure: Error | undefined;
  process.stdout.on("error", (error) => {
    failure = error;
  });
  return {
    /** Why they could not be kept, on a full disk for instance. Who has read enough and gone, as `head` does, is no reason. */
    async refused(): Promise<Error | undefined> {
      // Such an error is told in a turn of its own.
      await new Promise((resolve) => setImmediate(resolve));
      return systemCode(failure) === "EPIPE" ? undefined : failure;
    },
  };
}

/** Runs the checks, with a progress line where somebody waits, and makes the report of them. */
export async function examine(options: PackagedOptions, { trial, selection, timeoutMs }: Asked) {
  const clock = systemClock();
  const random = systemRandom;
  const started = { wall: clock.wall(), boot: clock.boot() };
  const turns = new Map<string, Turn>();
  const show = progress(options);
  const { config: configFile, packagedConfig: packagedConfigFile } = options;
  const context = await createContext({
    ...{ configFile, trial, packagedConfigFile, env: process.env, clock, random, turns },
  });
  const stream = (line: object) => options.ndjson && process.stdout.write(`${JSON.stringify(line)}\n`);
  const results = await runChecks(allChecks, context, {
    ...{ selection, timeoutMs, clock, turns },
    onStart: (check, number, of) => show.line(check, number, of),
    onResult(result) {
      if (shownOf([result], selection.only).length > 0) stream({ schema: SCHEMA, check: reportedCheck(result) });
    },
  });
  const shown = shownOf(results, selection.only);
  const report = await buildReport({
    version,
    runId: runIdOf(random.bytes(5)),
    startedAtWallMs: started.wall,
    durationMs: clock.boot() - started.boot,
    warningsAsErrors: options.warningsAsErrors === true,
    results: shown,
    context,
  });
  show.clear();
  const { checks: _shown, ...head } = report;
  stream({ schema: SCHEMA, report: head });
  return { report, results: shown, context } satisfies { report: Report; results: Result[]; context: DiagnoseContext };
}

/** `--bundle`: says what will be in it, then writes it. False when it could not be had; nothing is left behind then. */
async function keepEvidence(
  file: string,
  report: Report,
  context: DiagnoseContext,
  language: Language,
): Promise<boolean> {
  const { BundleRefused, bundleLines, collectBundle, writeBundle } = await import("../diagnostics/report/bundle.ts");
  const print = (text: AnyMessage) => process.stderr.write(`${sayText(text, language)}\n`);
  try {
    const bundle = await collectBundle(report, context, AbortSignal.timeout(BUNDLE_MS));
    for (const line of bundleLines(bundle)) print(line);
    await writeBundle(file, bundle, context.random);
    print({ id: "bundle.written", params: { file, run: report.run_id } });
    return true;
  } catch (error) {
    if (!(error instanceof BundleRefused)) throw error;
    print(error.words);
    return false;
  }
}

/** What was asked for, or in words why it cannot be had. */
export function understand(options: PackagedOptions, checks: readonly Check[]): Asked | AnyMessage {
  const ids = (list: string | undefined) =>
    list
      ?.split(",")
      .map((word) => word.trim())
      .filter((word) => word !== "")
      // The number that the report shows will do as well.
      .map((word) => checks.find(({ code }) => String(code) === word)?.id ?? word)
      // A status names them as what to look at; they have no check of their own in docs/operations/diagnose.md, and show in this one.
      .map((word) => (sdkRemedyIds.has(word) ? "ser.device_data" : word));
  const only = ids(options.only);
  const skip = ids(options.skip) ?? [];
  const unknown = [...(only ?? []), ...skip].find((id) => !checks.some((check) => check.id === id));
  if (unknown !== undefined) {
    return { id: "diagnose.unknown_check", params: { id: unknown } };
  }
  if (only?.length === 0) return { id: "diagnose.only_needs_id" };
  if (options.json && options.ndjson) {
    return { id: "diagnose.one_format" };
  }
  const seconds = Number(/^(\d+(?:\.\d+)?)s?$/.exec(options.timeout ?? "60")?.[1]);
  if (!(seconds > 0 && seconds <= 3_600)) {
    return { id: "diagnose.timeout" };
  }
  const selection = { skip, offline: options.offline === true, ...(only === undefined ? {} : { only }) };
  return { selection, timeoutMs: seconds * 1_000 };
}

const limitOf = (limit: Text | undefined) => limit && textIn(limit, "en");

function listed({ id, code, section, title, threshold, remedy, dependsOn, needsNetwork = false }: Check) {
  return {
    ...{
      id,
      code,
      section,
      title: textOf(title),
      threshold: { warn: limitOf(threshold.warn), fail: limitOf(threshold.fail) },
    },
    ...{ remedy: textOf(remedy), depends_on: dependsOn, needs_network: needsNetwork },
  };
}

/** What is being looked at, on a console where somebody waits; it leaves no trace. */
function progress({ lang, json, ndjson }: PackagedOptions) {
  const { stderr } = process;
  const console: Console = consoleOf(lang, process.env, stderr);
  const silent = !stderr.isTTY || json === true || ndjson === true || process.env.TERM === "dumb";
  return {
    line(check: Check, number: number, of: number) {
      if (!silent) stderr.write(`\r\x1b[K${progressLine(check, number, of, console)}`);
    },
    clear() {
      if (!silent) stderr.write("\r\x1b[K");
    },
  };
}

/** Digits and letters that are not mistaken for each other on the telephone (Crockford's base 32). */
function runIdOf(bytes: Buffer): string {
  const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const digits = [...bytes].map((octet) => octet.toString(2).padStart(8, "0")).join("");
  const letters = (digits.match(/.{5}/g) ?? []).map((five) => alphabet[Number.parseInt(five, 2)]);
  return `${letters.slice(0, 4).join("")}-${letters.slice(4).join("")}`;
}
