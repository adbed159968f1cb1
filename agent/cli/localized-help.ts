import type { Command, Option } from "commander";
import { type Bilingual, chooseLanguage, type Language, languages, say } from "../common/language.ts";
import { widthOf, wrap } from "../diagnostics/report/console.ts";

/** The language is wanted before the command line has been understood: a mistake in it has to be told, too. */
export function languageAsked(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Language {
  const at = argv.indexOf("--lang");
  const flag = at < 0 ? argv.find((word) => word.startsWith("--lang="))?.slice("--lang=".length) : argv[at + 1];
  return chooseLanguage(
    languages.find((language) => language === flag),
    env,
  );
}

const headings: Readonly<Record<string, Bilingual>> = {
  "Usage:": { zh: "用法", en: "Usage:" },
  "Options:": { zh: "选项", en: "Options:" },
  "Commands:": { zh: "命令", en: "Commands:" },
  "Arguments:": { zh: "参数", en: "Arguments:" },
};

/** Help and complaints of the command line, and those of all commands added afterwards, in the technician's language. */
export function localize(program: Command, language: Language): void {
  const tell = (text: Bilingual) => say(text, language);
  program
    .helpOption("-h, --help", tell({ zh: "显示本命令的帮助", en: "display help for command" }))
    .helpCommand("help [command]", tell({ zh: "显示某个命令的帮助", en: "display help for command" }))
    .configureOutput({ outputError: (text, write) => write(complaint(text, language)) });
  if (language === "en") return;
  program.configureHelp({
    styleTitle: (title) => tell(headings[title] ?? { zh: title, en: title }),
    // Commander counts and breaks by characters and spaces; Chinese has wide ones and none.
    displayWidth: (text) => widthOf(text),
    boxWrap: (text, width) =>
      text
        .split("\n")
        .flatMap((line) => wrap(line, width))
        .join("\n"),
    optionDescription: (option) =>
      [option.description, remark(option, language)].filter((part) => part !== "").join(""),
    ...(language === "zh-CN" ? { styleUsage: usageInChinese, styleSubcommandTerm: usageInChinese } : {}),
  });
}

function usageInChinese(usage: string): string {
  return usage.replace("[options]", "[选项]").replace("[command]", "[命令]");
}

/** What an option may be, and what it is when it is not given. */
function remark({ argChoices, defaultValue, required }: Option, language: Language): string {
  const parts: Bilingual[] = [];
  if (argChoices !== undefined) {
    const list = argChoices.map((choice) => `"${choice}"`);
    parts.push({ zh: `可选：${list.join("、")}`, en: `choices: ${list.join(", ")}` });
  }
  if (typeof defaultValue === "string" && required) {
    parts.push({ zh: `默认：${defaultValue}`, en: `default: "${defaultValue}"` });
  }
  if (parts.length === 0) return "";
  const chinese = `（${parts.map(({ zh }) => zh).join("；")}）`;
  return language === "both" ? ` (${parts.map((part) => say(part, language)).join(", ")})` : chinese;
}

/** Commander's own sentences. */
const complaints: readonly (readonly [RegExp, string])[] = [
  [/^error: unknown option '(.+)'/, "错误：没有选项 $1"],
  [/^error: unknown command '(.+)'/, "错误：没有命令 $1"],
  [/^error: option '(.+)' argument missing/, "错误：选项 $1 缺少值"],
  [
    /^error: option '(.+)' argument '(.*)' is invalid\. Allowed choices are (.+)\./,
    "错误：选项 $1 的值 $2 无效，可选：$3",
  ],
  [/^error: missing required argument '(.+)'/, "错误：缺少参数 $1"],
  [
    /^error: too many arguments(?: for '.+')?\. Expected (\d+) arguments? but got (\d+)(?:: (.+))?\./,
    "错误：多余的参数 $3",
  ],
  [/\(Did you mean (?:one of )?(.+)\?\)/, "（是否要写 $1？）"],
];

function complaint(english: string, language: Language): string {
  if (language === "en") return english;
  const chinese = complaints.reduce((text, [pattern, words]) => text.replace(pattern, words), english);
  return language === "both" && chinese !== english ? `${chinese.trimEnd()}\n${english}` : chinese;
}
