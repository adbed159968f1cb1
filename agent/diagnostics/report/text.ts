import { type Bilingual, type Language, say } from "../../common/language.ts";
import { visible } from "../../common/visible.ts";
import { type Section, sections } from "../check.ts";
import type { Status } from "../engine.ts";
import { type Console, cut, padded, widthOf, wrap } from "./console.ts";
import type { Report, ReportedCheck } from "./report.ts";

const sectionTitles: Readonly<Record<Section, Bilingual>> = {
  system: { zh: "系统与服务", en: "System and service" },
  time: { zh: "时间", en: "Time" },
  config: { zh: "配置与密钥", en: "Configuration and keys" },
  bridge: { zh: "刷脸模组", en: "Bridge" },
  network: { zh: "网络与微信支付", en: "Network and WeChat Pay" },
  store: { zh: "数据与本地接口", en: "Kept state and local API" },
};

/** Signs that Chinese fonts have had since GB 2312, and words for a console that has only ASCII. */
const signs: Readonly<Record<Status, { readonly sign: string; readonly word: string; readonly colour: number }>> = {
  pass: { sign: "√", word: "[ ok ]", colour: 32 },
  warn: { sign: "！", word: "[warn]", colour: 33 },
  fail: { sign: "×", word: "[FAIL]", colour: 31 },
  skip: { sign: "－", word: "[skip]", colour: 90 },
  crash: { sign: "？", word: "[ ?? ]", colour: 35 },
};

const statusWords: Readonly<Record<Status, Bilingual>> = {
  pass: { zh: "正常", en: "ok" },
  warn: { zh: "注意", en: "warning" },
  fail: { zh: "故障", en: "failed" },
  skip: { zh: "未检查", en: "skipped" },
  crash: { zh: "无法判断", en: "undecided" },
};

/** The whole report for people: sections, a line a check, and last what to do first. */
export function renderReport(report: Report, console: Console): string {
  const { language, columns } = console;
  const paint = painter(console);
  const languages = language === "both" ? (["zh-CN", "en"] as const) : ([language] as const);
  const titles = report.checks.flatMap(({ title }) => languages.map((one) => widthOf(say(title, one))));
  const titleWidth = Math.max(...titles, 0);
  const lines: string[] = head(report, language).flatMap((line) => wrap(line, columns));
  for (const section of sections) {
    const own = report.checks.filter((check) => check.section === section).toSorted((a, b) => a.code - b.code);
    if (own.length === 0) continue;
    lines.push("", paint(1, say(sectionTitles[section], language)));
    for (const check of own) lines.push(...checkLines(check, check.id === report.first, titleWidth, console));
  }
  lines.push("", ...summary(report, language).flatMap((line) => wrap(line, columns)), "");
  const colour = report.summary.exit === 0 ? 32 : report.summary.fail + report.summary.crash > 0 ? 31 : 33;
  // The very last line is the advice; in both languages the Chinese one stands above it.
  for (const line of inEach(report.advice, language)) {
    lines.push(...wrap(shownOn(console, language, line), columns).map((part) => paint(colour, part)));
  }
  return `${lines.join("\n")}\n`;
}

function head({ agent_version, run_id, started_at, agent, service_user, config_file }: Report, language: Language) {
  const state: Bilingual =
    agent === "running"
      ? { zh: "运行中", en: "running" }
      : agent === "absent"
        ? { zh: "没有运行", en: "not running" }
        : agent === "forbidden"
          ? { zh: "无权询问（请用 sudo）", en: "may not be asked (use sudo)" }
          : { zh: "没有应答", en: "does not answer" };
  // The shop's own time: the technician compares it with a clock on the wall.
  const at = new Date(started_at).toLocaleString("sv-SE");
  return inEach(
    {
      zh: `facepay-agent ${agent_version} 诊断，${at}，编号 ${run_id}`,
      en: `facepay-agent ${agent_version} diagnose, ${at}, run ${run_id}`,
    },
    language,
  ).concat(
    inEach(
      {
        zh: visible(`服务：${state.zh}（用户 ${service_user}）；配置：${config_file}`),
        en: visible(`agent: ${state.en} (user ${service_user}); configuration: ${config_file}`),
      },
      language,
    ),
  );
}

function checkLines(check: ReportedCheck, first: boolean, titleWidth: number, console: Console): string[] {
  const { language, plain, columns } = console;
  const { sign, word, colour } = signs[check.status];
  const paint = painter(console);
  const mark = plain ? padded(word, 7) : padded(sign, 3);
  const shown: string[] = [];
  const languages = language === "both" ? (["zh-CN", "en"] as const) : ([language] as const);
  for (const [index, one] of languages.entries()) {
    const front = index === 0 ? `${mark}${check.code} ` : " ".repeat(widthOfFront(mark));
    const title = padded(say(check.title, one), titleWidth);
    const text = shownOn(console, one, say(check.detail, one));
    const room = Math.max(20, columns - widthOfFront(mark) - titleWidth - 1);
    const open = check.status === "warn" || check.status === "fail" || check.status === "crash";
    // What has not been looked at is told in one line; the programs have it all.
    const [start = "", ...more] = check.status === "skip" ? [cut(text, room)] : wrap(text, room);
    const line = `${front}${title} ${start}`;
    shown.push(paint(index === 0 || open ? colour : 90, line.trimEnd()));
    const indent = " ".repeat(columns - room);
    shown.push(...more.map((part) => paint(colour, `${indent}${part}`)));
    if (check.remedy !== null) {
      const arrow = first ? { zh: "先处理：", en: "first: " } : { zh: "处理：", en: "to do: " };
      const lead = say(arrow, one);
      const remedy = wrap(shownOn(console, one, `${lead}${say(check.remedy, one)}`), room);
      shown.push(...remedy.map((part) => `${indent}${part}`));
    }
  }
  return shown;
}

/** What was found holds whatever a peer has said: nothing of it moves the cursor, nor is a box on a console without Chinese. */
function shownOn({ plain }: Console, language: Language, text: string): string {
  const safe = visible(text);
  if (!plain || language !== "en") return safe;
  return safe.replace(/ ?\([^()]*[^ -~][^()]*\)/g, "").replace(/[^ -~]+/g, "?");
}

/** The mark, the code and a space. */
function widthOfFront(mark: string): number {
  return widthOf(mark) + 4;
}

function summary({ summary: counts, duration_ms }: Report, language: Language): string[] {
  const seconds = (duration_ms / 1_000).toFixed(1);
  const list = (one: "zh" | "en") =>
    (["pass", "warn", "fail", "crash", "skip"] as const)
      .filter((status) => counts[status] > 0)
      .map((status) =>
        one === "zh" ? `${counts[status]} 项${statusWords[status].zh}` : `${counts[status]} ${statusWords[status].en}`,
      )
      .join(one === "zh" ? "，" : ", ");
  return inEach({ zh: `结果：${list("zh")}；用时 ${seconds} 秒`, en: `result: ${list("en")}; ${seconds} s` }, language);
}

function inEach(text: Bilingual, language: Language): string[] {
  return language === "both" ? [text.zh, text.en] : [say(text, language)];
}

function painter({ colour }: Console): (code: number, text: string) => string {
  return (code, text) => (colour && text !== "" ? `\x1b[${code}m${text}\x1b[0m` : text);
}
