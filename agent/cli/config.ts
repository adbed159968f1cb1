import { statSync } from "node:fs";
import path from "node:path";
import { systemClock } from "../common/clock.ts";
import { chooseLanguage, type Language } from "../common/language.ts";
import { exampleFile } from "../config/example-file.ts";
import { loadConfig } from "../config/load.ts";
import { placeProblems } from "../config/path-conflicts.ts";
import type { Problem } from "../config/problem.ts";
import { type Checkup, loadAll } from "../config/secrets/secrets.ts";
import { showConfig, showConfigJson } from "../config/show.ts";
import { unitPlaceWarnings } from "../config/unit-places.ts";
import type { Text } from "../messages/message.ts";
import { problemDocument, renderProblem } from "../messages/problem-text.ts";
import { setUpRemedy } from "../messages/start-command.ts";
import { sayText } from "../messages/text-of.ts";
import { startingOf } from "./admin-socket.ts";
import type { PackagedOptions } from "./options.ts";

/** sysexits EX_CONFIG and EX_NOINPUT. */
const INVALID = 78;
const MISSING = 66;

/** `facepay-agent config check|show|schema`: 0 when all is well, 78 for a configuration that `run` would refuse, 66 for none. */
export async function config(what: "check" | "show" | "schema", options: PackagedOptions): Promise<number> {
  if (what === "schema") {
    const { configJsonSchema } = await import("../config/keys/json-schema.ts");
    process.stdout.write(`${JSON.stringify(configJsonSchema(), undefined, 2)}\n`);
    return 0;
  }
  const language = chooseLanguage(options.lang, process.env);
  return what === "check" ? await check(options, language) : await show(options, language);
}

async function check(options: PackagedOptions, language: Language): Promise<number> {
  const result = await loadAll({ file: options.config, env: process.env, wallMs: systemClock().wall() });
  if (result.kind === "absent") return await missing(options, language);
  const problems = result.kind === "invalid" ? result.problems : placeProblems(result.loaded);
  const valid = problems.length === 0;
  // The unit is about the packaged configuration alone.
  const isPackaged = options.config === options.packagedConfig;
  const confined = isPackaged && result.kind === "ok" ? unitPlaceWarnings(result.loaded) : [];
  const warnings = [...result.warnings, ...confined];
  if (options.json) {
    process.stdout.write(
      `${JSON.stringify(
        { valid, problems: problems.map(problemDocument), warnings: warnings.map(problemDocument) },
        undefined,
        2,
      )}\n`,
    );
    return valid ? 0 : INVALID;
  }
  // Only the service's user and root may read some of the files; for another user that is no fault.
  const barred = isServices(result) ? [] : [...new Set(problems.flatMap(({ unreadable }) => unreadable ?? []))];
  if (barred.length > 0) {
    process.stdout.write(`${sayText({ id: "config.barred", params: { files: barred } }, language)}
`);
  }
  const list = (title: string, found: readonly Problem[]) => {
    if (found.length === 0) return "";
    return `${title} (${found.length})\n${found.map((problem) => renderProblem(problem, language)).join("\n")}\n`;
  };
  const seen = barred.length === 0 ? problems : problems.filter(({ unreadable }) => unreadable === undefined);
  const verdict: Text = { id: valid ? "config.is_valid" : seen.length > 0 ? "config.is_invalid" : "config.not_whole" };
  process.stdout.write(
    list(sayText({ id: "config.problems" }, language), seen) +
      list(sayText({ id: "config.warnings" }, language), warnings) +
      `${options.config}: ${sayText(verdict, language)}\n`,
  );
  return valid ? 0 : INVALID;
}

/** Whether root asks, or the user whose state it is. */
function isServices(result: Exclude<Checkup, { kind: "absent" }>): boolean {
  const uid = process.geteuid?.();
  const state = result.kind === "ok" ? result.loaded.config.store.directory : result.storeDirectory;
  try {
    return uid === 0 || statSync(state).uid === uid;
  } catch {
    return false;
  }
}

async function show(options: PackagedOptions, language: Language): Promise<number> {
  const loaded = await loadConfig({ file: options.config, env: process.env });
  if (loaded.kind === "absent") return await missing(options, language);
  if (loaded.kind === "invalid") return await check(options, language);
  const text = options.json ? JSON.stringify(showConfigJson(loaded), undefined, 2) : showConfig(loaded, language);
  process.stdout.write(`${text.trimEnd()}\n`);
  return 0;
}

async function missing(options: PackagedOptions, language: Language): Promise<number> {
  const { config: file, json } = options;
  const setUp = setUpRemedy(await startingOf(options), false);
  const beside = path.join(path.dirname(file), "config.toml.example");
  const example = exampleFile("config.example.toml", [beside, `${options.packagedConfig}.example`]);
  const what: Text = { id: "config.no_file", params: { file, setUp, example } };
  if (json) process.stdout.write(`${JSON.stringify({ valid: false, absent: file })}\n`);
  else process.stderr.write(`${sayText(what, language)}\n`);
  return MISSING;
}
