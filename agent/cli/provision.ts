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
import { answersIn } from "../provision/answers-file.ts";
import { bridgeAsker } from "../provision/bridge-line.ts";
import { collectAnswers } from "../provision/collect-answers.ts";
import { type Drafted, draft } from "../provision/draft.ts";
import { valuesIn } from "../provision/existing-values.ts";
import { answersFrom, type Wrong } from "../provision/flags.ts";
import { KeptAnswers } from "../provision/kept-answers.ts";
import type { Owner } from "../provision/key-files.ts";
import { Gone, Technician } from "../provision/prompter.ts";
import { type Answers, isYes } from "../provision/questions.ts";
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
  const fromFile = options.from === undefined ? undefined : await answersIn(path.resolve(options.from));
  const flags = answersFrom(options.set ?? []);
  const wrong = [...(fromFile?.wrong ?? []), ...flags.wrong];
  if (wrong.length > 0) {
    for (const one of wrong) complain(one);
    return USAGE;
  }
  // What is typed on the command line is the last word.
  const given = new Map([...(fromFile?.given ?? []), ...flags.given]);
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
    const kept = technician === undefined ? undefined : new KeptAnswers(target, systemRandom);
    const parts = {
      target,
      tell,
      technician,
      ask: bridgeAsker(ownLine, clock, systemRandom),
      adapters: () => ownLine.devices(),
      ...(kept && { note: (answers: Answers) => kept.keep(answers) }),
    };
    const former = (await kept?.read()) ?? new Map();
    if (former.size > 0) tell(fromBefore);
    let known: Answers = new Map([...valuesIn(present.text), ...former]);
    let drafted: Drafted & { ok: true };
    for (let asking = true; ; ) {
      if (asking) {
        const gathered = await collectAnswers(known, given, parts);
        if (!gathered.ok) {
          for (const one of gathered.problems) complain(one);
          process.stderr.write(`${say(howToGive, language)}\n`);
          return MISSING;
        }
        known = gathered.answers;
        await kept?.keep(known);
      }
      const next = await draft(target, present.text, known);
      if (!next.ok) {
        complain(next);
        return MISSING;
      }
      drafted = next;
      await mayWriteIn(path.dirname(target));
      const verdict = await check(drafted.draft, options, technician);
      if (verdict === "keep") break;
      if (typeof verdict === "number") return verdict;
      asking = verdict === "change";
      // An answer may have been changed on the command line.
      if (asking) given.clear();
    }
    await makeDirectories(path.dirname(target), 0o755);
    if (drafted.rewritten) {
      await write({ target: `${target}.before`, text: present.text, files: [] }, writer);
      tell({
        zh: `原文件的注释无法保留，已另存为 ${target}.before`,
        en: `its comments are lost; the former file is ${target}.before`,
      });
    }
    await write(drafted.draft, writer);
    await kept?.forget();
    tell({ zh: `配置已写入 ${target}`, en: `the configuration is in ${target}` });
    const { packagedConfig } = options;
    const adminSocket = await whereIsAdminSocket(target);
    return (await restore({ target, packagedConfig, adminSocket }, clock, tell)) ? 0 : 1;
  } catch (error) {
    if (error instanceof Gone) {
      process.stderr.write(`\n${say(answersKept, language)}\n`);
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

  /** An exit code, or what the technician wants next. */
  async function check(
    whole: Draft,
    { trial = true, force }: PackagedOptions,
    technician: Technician | undefined,
  ): Promise<number | "keep" | "again" | "change"> {
    const { text, files: given } = onTrial(whole);
    const checkup = await loadAll({ file: target, text, given, env: process.env, wallMs: systemClock().wall() });
    const valid = checkup.kind === "ok";
    if (!valid) {
      const problems = checkup.kind === "invalid" ? checkup.problems : [];
      process.stderr.write(`${problems.map((problem) => renderProblem(problem, language)).join("\n")}\n`);
      if (technician === undefined) return INVALID;
    } else if (!trial || (await passes({ text, files: given }, options, target)) || force) return "keep";
    const answer = await technician?.line(`${say(valid ? whatNext : whatNextInvalid, language)} `);
    if (valid && answer !== undefined && isYes(answer)) return "keep";
    if (answer !== undefined && /^\s*(r|retry|重试)\s*$/i.test(answer)) return "again";
    if (answer !== undefined && /^\s*(c|change|修改)\s*$/i.test(answer)) return "change";
    process.stderr.write(`${say(technician === undefined ? notSaved : answersKept, language)}\n`);
    return valid ? 1 : INVALID;
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
const whatNext: Bilingual = {
  zh: "验证未通过。处理后重试输入 r，修改答案输入 c，仍要保存输入 y，放弃直接按回车：",
  en: "The trial has failed. Type r to try again once it is fixed, c to change answers, y to keep the configuration all the same, or Enter to give up:",
};
const whatNextInvalid: Bilingual = {
  zh: "配置有误。处理后重试输入 r，修改答案输入 c，放弃直接按回车：",
  en: "The configuration is not valid. Type r to try again once it is fixed, c to change answers, or Enter to give up:",
};
const fromBefore: Bilingual = {
  zh: "上次设置没有完成，已答的内容作为默认值",
  en: "the last set-up was not finished: what was answered then is suggested",
};
const answersKept: Bilingual = {
  zh: "没有写入配置；答案已保留，再次运行 facepay-agent provision 时作为默认值",
  en: "no configuration was written; the answers are kept, and the next facepay-agent provision suggests them",
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
