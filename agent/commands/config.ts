import { systemClock } from "../clock.ts";
import { loadConfig } from "../config/load.ts";
import { type Problem, renderProblem } from "../config/problem.ts";
import { loadAll } from "../config/secrets/secrets.ts";
import { showConfig, showConfigJson } from "../config/show.ts";
import { chooseLanguage, type Language, say } from "../language.ts";
import type { CommandOptions } from "./options.ts";

/** sysexits EX_CONFIG and EX_NOINPUT. */
const INVALID = 78;
const MISSING = 66;

/** `facepay-agent config check|show|schema`: 0 when all is well, 78 for a configuration that `run` would refuse, 66 for none. */
export async function config(what: "check" | "show" | "schema", options: CommandOptions): Promise<number> {
  if (what === "schema") {
    const { configJsonSchema } = await import("../config/keys/json-schema.ts");
    process.stdout.write(`${JSON.stringify(configJsonSchema(), undefined, 2)}\n`);
    return 0;
  }
  const language = chooseLanguage(options.lang, process.env);
  return what === "check" ? await check(options, language) : await show(options, language);
}

async function check(options: CommandOptions, language: Language): Promise<number> {
  const result = await loadAll({ file: options.config, env: process.env, wallMs: systemClock().wall() });
  if (result.kind === "absent") return missing(options, language);
  const problems = result.kind === "invalid" ? result.problems : [];
  const valid = result.kind === "ok";
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ valid, problems, warnings: result.warnings }, undefined, 2)}\n`);
    return valid ? 0 : INVALID;
  }
  const list = (title: string, found: readonly Problem[]) => {
    if (found.length === 0) return "";
    return `${title} (${found.length})\n${found.map((problem) => renderProblem(problem, language)).join("\n")}\n`;
  };
  const verdict = valid ? { zh: "配置有效", en: "the configuration is valid" } : { zh: "配置无效", en: "invalid" };
  process.stdout.write(
    list(say({ zh: "问题", en: "problems" }, language), problems) +
      list(say({ zh: "警告", en: "warnings" }, language), result.warnings) +
      `${options.config}: ${say(verdict, language)}\n`,
  );
  return valid ? 0 : INVALID;
}

async function show(options: CommandOptions, language: Language): Promise<number> {
  const loaded = await loadConfig({ file: options.config, env: process.env });
  if (loaded.kind === "absent") return missing(options, language);
  if (loaded.kind === "invalid") return await check(options, language);
  const text = options.json ? JSON.stringify(showConfigJson(loaded), undefined, 2) : showConfig(loaded, language);
  process.stdout.write(`${text.trimEnd()}\n`);
  return 0;
}

function missing({ config: file, json }: CommandOptions, language: Language): number {
  const what = {
    zh: `没有配置文件 ${file}：请从 docs/config.example.toml 开始`,
    en: `there is no ${file}: start from docs/config.example.toml`,
  };
  if (json) process.stdout.write(`${JSON.stringify({ valid: false, absent: file })}\n`);
  else process.stderr.write(`${say(what, language)}\n`);
  return MISSING;
}
