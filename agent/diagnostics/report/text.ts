import { type Bilingual, type Language, say } from "../../common/language.ts";
import { visible } from "../../common/visible.ts";
import type { AnyMessage } from "../../messages/message.ts";
import { sayText, textOf } from "../../messages/text-of.ts";
import { sections } from "../check.ts";
import type { Status } from "../engine.ts";
import { type Console, cut, linesOf, padded, widthOf } from "./console.ts";
import type { Report, ReportedCheck } from "./report.ts";

/** Signs that Chinese fonts have had since GB 2312, and words for a console that has only ASCII. */
const signs: Readonly<Record<Status, { readonly sign: string; readonly word: string; readonly colour: number }>> = {
  pass: { sign: "√", word: "[ ok ]", colour: 32 },
  warn: { sign: "！", word: "[warn]", colour: 33 },
  fail: { sign: "×", word: "[FAIL]", colour: 31 },
  skip: { sign: "－", word: "[skip]", colour: 90 },
  crash: { sign: "？", word: "[ ?? ]", colour: 35 },
};

/** The whole report for people: sections, a line a check, and last what to do first. */
export function renderReport(report: Report, console: Console): string {
  const { language, columns } = console;
  const paint = painter(console);
  const languages = language === "both" ? (["zh-CN", "en"] as const) : ([language] as const);
  const titles = report.checks.flatMap(({ title }) => languages.map((one) => widthOf(say(title, one))));
  const titleWidth = Math.max(...titles, 0);
  const lines: string[] = head(report, language).flatMap((line) => linesOf(line, columns));
  for (const section of sections) {
    const own = report.checks.filter((check) => check.section === section).toSorted((a, b) => a.code - b.code);
    if (own.length === 0) continue;
    lines.push("", paint(1, sayText({ id: `section_of_report.${section}` }, language)));
    for (const check of own) lines.push(...checkLines(check, check.id === report.first, titleWidth, console));
  }
  const code: AnyMessage = { id: "support.line", params: { code: report.support_code } };
  const counted = [...summary(report, language), ...inEach(textOf(code), language)];
  lines.push("", ...counted.flatMap((line) => linesOf(line, columns)), "");
  const colour = report.summary.exit === 0 ? 32 : report.summary.fail + report.summary.crash > 0 ? 31 : 33;
  // The advice comes last; in both languages the Chinese one stands above it.
  for (const line of inEach(report.advice, language)) {
    lines.push(...linesOf(shownOn(console, language, line), columns).map((part) => paint(colour, part)));
  }
  return `${lines.join("\n")}\n`;
}

function head({ agent_version, run_id, started_at, agent, service_user, config_file }: Report, language: Language) {
  // The shop's own time: the technician compares it with a clock on the wall.
  const at = new Date(started_at).toLocaleString("sv-SE");
  const state: AnyMessage = { id: `agent.${agent}` };
  const params = { state, user: service_user, file: config_file };
  return [
    ...inEach(textOf({ id: "report.head", params: { version: agent_version, at, run: run_id } }), language),
    ...inEach(textOf({ id: "report.agent", params }), language).map(visible),
  ];
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
    const text = shownOn(console, one, say(check.detail, one)).replaceAll(/\s*\n\s*/g, " ");
    const before = widthOfFront(mark) + titleWidth + 1;
    const room = Math.max(20, columns - before);
    const open = check.status === "warn" || check.status === "fail" || check.status === "crash";
    // What has not been looked at is told in one line; the programs have it all.
    const [start = "", ...more] = check.status === "skip" ? [cut(text, room)] : linesOf(text, room);
    const line = `${front}${title} ${start}`;
    shown.push(paint(index === 0 || open ? colour : 90, line.trimEnd()));
    const indent = " ".repeat(before);
    shown.push(...more.map((part) => paint(colour, `${indent}${part}`)));
    if (check.remedy !== null) {
      const id = first ? "report.do_first" : "report.do";
      const remedy = linesOf(shownOn(console, one, sayText({ id, params: { remedy: check.remedy } }, one)), room);
      // A command begins near the margin: it is long, and copied as a whole.
      shown.push(...remedy.map((part) => (part.startsWith(" ") ? `  ${part}` : `${indent}${part}`)));
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
  const list = (["pass", "warn", "fail", "crash", "skip"] as const).filter((status) => counts[status] > 0);
  const params = {
    counts: list.map((status): AnyMessage => {
      const outcome: AnyMessage = { id: `outcome.${status}` };
      return { id: "outcome.count", params: { count: counts[status], outcome } };
    }),
    seconds,
  };
  return inEach(textOf({ id: "report.result", params }), language);
}

function inEach(text: Bilingual, language: Language): string[] {
  return language === "both" ? [text.zh, text.en] : [say(text, language)];
}

function painter({ colour }: Console): (code: number, text: string) => string {
  return (code, text) => (colour && text !== "" ? `\x1b[${code}m${text}\x1b[0m` : text);
}
