import { problemStatuses } from "../../agent/api/http/problem.ts";
import { failureRules } from "../../agent/common/failures.ts";
import { warningCodes } from "../../agent/common/warnings.ts";
import { catalogues } from "../../agent/messages/catalogue.ts";
import { placeholders } from "../../agent/messages/placeholders.ts";
import { remedyFor, remedyRules } from "../../agent/messages/remedies/remedies.ts";
import type { RemedyRule } from "../../agent/messages/remedies/remedy-rule.ts";
import { textById, textIn } from "../../agent/messages/text-of.ts";

export type PageLanguage = "en" | "zh";

const words = {
  en: {
    title: "Errors, warnings and remedies",
    intro:
      "Every code that status, log, problem documents and diagnose show, with its text and its remedy. A word in <> is a parameter of the code. Made by `npm run docs` from the catalogue of messages; do not edit.",
    failures: "Failures",
    failureHead: "| Code | What happened | Next attempt | What to do |",
    rules: "More exact remedies",
    rulesIntro: "Where more than the code is known, the first row that fits says what to do.",
    ruleHead: "| When | What to do |",
    warnings: "Standing warnings",
    warningHead: "| Code | Meaning |",
    problems: "Answers of the local API",
    problemHead: "| Status | Code | Title |",
    refusals: "Refusals of the gateway",
    retry: {
      backoff: "back-off",
      slow: "every 5 min at most, until somebody fixes it",
      throttled: "back-off, keeps Retry-After",
    },
  },
  zh: {
    title: "错误、警告与处理办法",
    intro:
      "状态、日志、问题文档和诊断中出现的每个代码，及其含义和处理办法。<> 中是该代码的参数。由 `npm run docs` 从消息目录生成，请勿手工修改。",
    failures: "故障",
    failureHead: "| 代码 | 含义 | 下次尝试 | 处理办法 |",
    rules: "更具体的处理办法",
    rulesIntro: "除代码外还知道更多情况时，以第一条符合的为准。",
    ruleHead: "| 情况 | 处理办法 |",
    warnings: "持续警告",
    warningHead: "| 代码 | 含义 |",
    problems: "本地接口的应答",
    problemHead: "| 状态码 | 代码 | 标题 |",
    refusals: "网关的拒绝",
    retry: {
      backoff: "逐步延长间隔",
      slow: "最多每 5 分钟一次，直到有人处理",
      throttled: "逐步延长间隔，遵守 Retry-After",
    },
  },
} as const;

/** `docs/errors.md` or its Chinese half. */
export function errorsPage(language: PageLanguage): string {
  const text = words[language];
  const catalogue = catalogues[language];
  const rows = [
    `# ${text.title}`,
    text.intro,
    `## ${text.failures}`,
    [
      text.failureHead,
      "| --- | --- | --- | --- |",
      ...Object.keys(failureRules).map((code) => failureRow(code, language)),
    ],
    `## ${text.rules}`,
    text.rulesIntro,
    [
      text.ruleHead,
      "| --- | --- |",
      ...remedyRules.map((rule) => `| ${cell(conditions(rule))} | ${cell(rule.remedy[language])} |`),
    ],
    `## ${text.warnings}`,
    [
      text.warningHead,
      "| --- | --- |",
      ...warningCodes.map((code) => `| \`${code}\` | ${cell(textIn(textById(`warning.${code}`, code), language))} |`),
    ],
    `## ${text.problems}`,
    [
      text.problemHead,
      "| --- | --- | --- |",
      ...Object.entries(catalogue.problemTitles).map(
        ([code, title]) =>
          `| ${problemStatuses[code as keyof typeof problemStatuses]} | \`${code}\` | ${cell(title)} |`,
      ),
    ],
    `## ${text.refusals}`,
    [
      text.warningHead,
      "| --- | --- |",
      ...Object.entries(catalogue.gatewayRefusals).map(([code, title]) => `| \`GATEWAY_${code}\` | ${cell(title)} |`),
    ],
  ];
  return `${rows.map((row) => (typeof row === "string" ? row : row.join("\n"))).join("\n\n")}\n`;
}

function failureRow(code: string, language: PageLanguage): string {
  const ids = Object.keys(catalogues.en.failures).filter((id) => id === code || id.startsWith(`${code}.`));
  const texts = catalogues[language].failures as unknown as Readonly<Record<string, (params: object) => string>>;
  const told = new Set(ids.map((id) => cell(texts[id]?.(placeholders()) ?? "")));
  const { retry } = failureRules[code as keyof typeof failureRules];
  const remedy = remedyFor(code)?.[language] ?? "";
  return `| \`${code}\` | ${[...told].join("<br>")} | ${words[language].retry[retry]} | ${cell(remedy)} |`;
}

function conditions({ code, status, mode, reason, message, param, hosts }: RemedyRule): string {
  return [
    code && `code ${code.source}`,
    status && `HTTP ${status}`,
    mode && `mode ${mode}`,
    reason && `reason ${reason.source}`,
    message && `message ${message.source}`,
    param && `${param[0]} ${String(param[1])}`,
    hosts && `hosts ${hosts}`,
  ]
    .filter(Boolean)
    .join(", ");
}

/** Text that cannot leave its cell of a Markdown table; a command stands on a line of its own. */
export function cell(text: string): string {
  return text
    .replaceAll("|", "\\|")
    .replaceAll("<", "&lt;")
    .replace(/\n {2}([^\n]+)/g, "<br>`$1`")
    .replaceAll("\n", "<br>");
}
