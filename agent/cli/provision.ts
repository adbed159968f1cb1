import { access, constants, readFile } from "node:fs/promises";
import path from "node:path";
import { systemClock } from "../common/clock.ts";
import { systemCode } from "../common/errors.ts";
import { makeDirectories } from "../common/files/file-system.ts";
import { lookupGroup } from "../common/files/group.ts";
import { type Bilingual, chooseLanguage, say } from "../common/language.ts";
import { systemRandom } from "../common/random.ts";
import { removeLeftovers } from "../config/files/provision-leftovers.ts";
import { parseToml } from "../config/files/toml.ts";
import { loadAll } from "../config/secrets/secrets.ts";
import type { Trial } from "../diagnostics/check.ts";
import { untriedIn } from "../diagnostics/checks/handshake-checks.ts";
import { ownLine } from "../diagnostics/direct-line.ts";
import { userOfUnit } from "../diagnostics/host/service-user.ts";
import type { Report } from "../diagnostics/report/report.ts";
import { renderProblem } from "../messages/problem-text.ts";
import { restore } from "../provision/activate.ts";
import { bridgeAsker } from "../provision/bridge-line.ts";
import { collectAnswers } from "../provision/collect-answers.ts";
import { draft } from "../provision/draft.ts";
import { valuesIn } from "../provision/existing-values.ts";
import { answersFrom, type Wrong } from "../provision/flags.ts";
import type { Owner } from "../provision/key-files.ts";
import { Gone, Technician } from "../provision/prompter.ts";
import { isYes } from "../provision/questions.ts";
import { type Draft, onTrial, type Writer, write } from "../provision/staging.ts";
import { whereIsAdminSocket } from "./admin-socket.ts";
import type { PackagedOptions } from "./options.ts";

/** sysexits: EX_USAGE, EX_NOINPUT, EX_NOPERM, EX_CONFIG; 1 when the terminal does not work with it. */
const USAGE = 64;
const MISSING = 66;
const FORBIDDEN = 77;
const INVALID = 78;

const SERVICE_USER = "facepay-agent";
/** What the trial looks at: all that the new configuration decides about. */
const TRIAL = ["cfg.valid", "cfg.identity", "key.file", "key.match", "cert.expiry", "ser.device_data", "pay.auth"];
const TRIAL_MS = 60_000;

/**
 * `facepay-agent provision`: the first set-up, and every later one. Nothing in force changes before the new configuration as a whole
 * has been checked and tried. Resolves to the exit code.
 */
export async function provision(options: PackagedOptions): Promise<number> {
  const language = chooseLanguage(options.lang, process.env);
  const tell = (text: Bilingual) => void process.stdout.write(`${say(text, language)}\n`);
  const complain = ({ key, what }: Wrong) => void process.stderr.write(`${key}: ${say(what, language)}\n`);
  const { given, wrong } = answersFrom(options.set ?? []);
  if (wrong.length > 0) {
    for (const one of wrong) complain(one);
    return USAGE;
  }
  const target = path.resolve(options.config);
  const owner = await ownerFor(options.user);
  if (owner === "unknown") {
    complain({ key: "--user", what: { zh: `没有用户 ${options.user}`, en: `there is no user ${options.user}` } });
    return USAGE;
  }
  const present = await readPresent(target);
  if (present.problem !== undefined) {
    process.stderr.write(`${renderProblem(present.problem, language)}\n`);
    return INVALID;
  }
  const writer: Writer = { owner, random: systemRandom };
  await removeLeftovers(path.dirname(target));
  try {
    using technician = options.nonInteractive ? undefined : new Technician(process.stdin, process.stdout, language);
    const clock = systemClock();
    const parts = {
      target,
      tell,
      technician,
      ask: bridgeAsker(ownLine, clock, systemRandom),
      adapters: () => ownLine.devices(),
    };
    const gathered = await collectAnswers(valuesIn(present.text), given, parts);
    if (!gathered.ok) {
      for (const one of gathered.problems) complain(one);
      process.stderr.write(`${say(howToGive, language)}\n`);
      return MISSING;
    }
    const drafted = await draft(target, present.text, gathered.answers);
    if (!drafted.ok) {
      complain(drafted);
      return MISSING;
    }
    await mayWriteIn(path.dirname(target));
    const refusal = await check(drafted.draft, options, technician);
    if (refusal !== undefined) return refusal;
    await makeDirectories(path.dirname(target), 0o755);
    if (drafted.rewritten) {
      await write({ target: `${target}.before`, text: present.text, files: [] }, writer);
      tell({
        zh: `原文件的注释无法保留，已另存为 ${target}.before`,
        en: `its comments are lost; the former file is ${target}.before`,
      });
    }
    await write(drafted.draft, writer);
    tell({ zh: `配置已写入 ${target}`, en: `the configuration is in ${target}` });
    const { packagedConfig } = options;
    const adminSocket = await whereIsAdminSocket(target);
    return (await restore({ target, packagedConfig, adminSocket }, clock, tell)) ? 0 : 1;
  } catch (error) {
    if (error instanceof Gone) {
      process.stderr.write(`\n${say({ zh: "已取消，没有任何更改", en: "given up; nothing was changed" }, language)}\n`);
      return 1;
    }
    const code = systemCode(error);
    if (code !== "EACCES" && code !== "EPERM" && code !== "EROFS") throw error;
    complain({
      key: target,
      what: { zh: `无法写入（${code}），请用 sudo`, en: `cannot be written (${code}): use sudo` },
    });
    return FORBIDDEN;
  }

  async function check(
    whole: Draft,
    { trial = true, force }: PackagedOptions,
    technician: Technician | undefined,
  ): Promise<number | undefined> {
    const { text, files: given } = onTrial(whole);
    const checkup = await loadAll({ file: target, text, given, env: process.env, wallMs: systemClock().wall() });
    if (checkup.kind !== "ok") {
      const problems = checkup.kind === "invalid" ? checkup.problems : [];
      process.stderr.write(`${problems.map((problem) => renderProblem(problem, language)).join("\n")}\n`);
      return INVALID;
    }
    if (!trial || (await passes({ text, files: given }, options, target)) || force) return undefined;
    const answer = await technician?.line(`${say(saveAnyway, language)} `);
    if (answer !== undefined && isYes(answer)) return undefined;
    process.stderr.write(`${say(notSaved, language)}\n`);
    return 1;
  }
}

/** Tries the configuration on the bridge and on the payment service, and shows what diagnose makes of it. */
async function passes(trial: Trial, options: PackagedOptions, target: string): Promise<boolean> {
  const [{ examine }, { renderReport }, { consoleOf }] = await Promise.all([
    import("./diagnose.ts"),
    import("../diagnostics/report/text.ts"),
    import("../diagnostics/report/console.ts"),
  ]);
  const { lang, packagedConfig } = options;
  const selection = { only: TRIAL, skip: [], offline: false };
  const { report, context } = await examine(
    { config: target, packagedConfig, ...(lang === undefined ? {} : { lang }) },
    { trial, selection, timeoutMs: TRIAL_MS },
  );
  const passed = report.summary.exit !== 1;
  const advice = passed ? goodBut(untriedIn(context.trial)) : firstOfTrial(report);
  process.stdout.write(renderReport({ ...report, advice }, consoleOf(lang, process.env, process.stdout)));
  return passed;
}

/** There is no agent to be started or asked again: it is the answers that are tried once more. */
function firstOfTrial({ first, checks }: Report): Bilingual {
  const { code, id, detail, remedy } = checks.find((check) => check.id === first) ?? {};
  return {
    zh: `先处理 [${code} ${id}] ${detail?.zh}。${remedy?.zh ?? ""}`,
    en: `Do this first [${code} ${id}] ${detail?.en}. ${remedy?.en ?? ""}`,
  };
}

/** The line stays with the agent at work, which a trial must not disturb. */
function goodBut(untried: readonly string[]): Bilingual {
  if (untried.length === 0) return { zh: "验证通过。", en: "The trial has passed." };
  const keys = untried.join(", ");
  return {
    zh: `验证通过，但未能验证 ${keys}：线路由正在运行的服务占用。保存并重新加载后即生效，届时请看 facepay-agent status。`,
    en: `The trial has passed, but ${keys} could not be tried: the running agent holds the line. It counts once the agent has read it; look at facepay-agent status then.`,
  };
}

const howToGive: Bilingual = {
  zh: "每项用一个 --set，例如 --set identity.sp_mchid=1900000100；没有写入任何内容",
  en: "give each with --set, as in --set identity.sp_mchid=1900000100; nothing was written",
};
const saveAnyway: Bilingual = {
  zh: "验证未通过。仍要保存配置吗？(y/N)",
  en: "The trial has failed. Keep this configuration all the same? (y/N)",
};
const notSaved: Bilingual = {
  zh: "没有写入任何内容；--force 保存，--no-trial 不验证",
  en: "nothing was written; --force keeps it all the same, --no-trial leaves the trial out",
};

/** Root makes the files the service's own; anybody else sets up an agent that runs as himself. */
async function ownerFor(name: string | undefined): Promise<Owner | "unknown"> {
  if (process.geteuid?.() !== 0) return undefined;
  const found = await userOfUnit({ user: name ?? SERVICE_USER, group: "", supplementaryGroups: [] }, lookupGroup);
  return found ?? (name === undefined ? undefined : "unknown");
}

/** Rejects as the writing would, before anybody waits for a trial. */
async function mayWriteIn(directory: string): Promise<void> {
  try {
    await access(directory, constants.W_OK);
  } catch (error) {
    const parent = path.dirname(directory);
    if (systemCode(error) !== "ENOENT" || parent === directory) throw error;
    await mayWriteIn(parent);
  }
}

async function readPresent(target: string) {
  const text = await readFile(target, "utf8").catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return "";
    throw error;
  });
  const parsed = parseToml(text, target);
  return parsed.ok ? { text } : { text, problem: parsed.problem };
}
