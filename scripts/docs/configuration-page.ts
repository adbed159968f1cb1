import type { Field } from "../../agent/config/keys/fields.ts";
import { sections } from "../../agent/config/keys/schema.ts";
import { textIn } from "../../agent/messages/text-of.ts";
import { cell, type PageLanguage } from "./errors-page.ts";

const words = {
  en: {
    title: "Configuration",
    intro:
      "Every key of `config.toml` (specification 2). Made by `npm run docs` from the key table; do not edit. A commented file to begin with: [config.example.toml](config.example.toml).",
    head: "| Key | Meaning | Must be | Default | Example |",
    required: "required",
  },
  zh: {
    title: "配置",
    intro:
      "`config.toml` 的每个键（规范第 2 节）。由 `npm run docs` 从键表生成，请勿手工修改。带注释的示例文件：[config.example.toml](config.example.toml)。",
    head: "| 键 | 含义 | 取值 | 默认值 | 示例 |",
    required: "必填",
  },
} as const;

/** `docs/configuration.md` or its Chinese half. */
export function configurationPage(language: PageLanguage): string {
  const text = words[language];
  const parts = [...sections].map(([name, { about, fields }]) =>
    [
      `## [${name}]`,
      "",
      `${textIn(about, language)}.`.replace(/([\u4e00-\u9fff])\.$/, "$1。"),
      "",
      text.head,
      "| --- | --- | --- | --- | --- |",
      ...Object.entries(fields).map(([key, field]) => row(key, field, language)),
    ].join("\n"),
  );
  return `${[`# ${text.title}`, text.intro, ...parts].join("\n\n")}\n`;
}

function row(key: string, field: Field, language: PageLanguage): string {
  const { about, expects, example, fallback, fallbackText = fallback, required } = field;
  const standard = required
    ? words[language].required
    : fallbackText === undefined
      ? ""
      : `\`${JSON.stringify(fallbackText)}\``;
  return `| \`${key}\` | ${cell(textIn(about, language))} | ${cell(textIn(expects, language))} | ${standard.replaceAll("|", "\\|")} | \`${example.replaceAll("|", "\\|")}\` |`;
}
