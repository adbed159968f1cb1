import type { Command, Option } from "commander";
import { chooseLanguage, type Language, languages } from "../common/language.ts";
import { widthOf, wrap } from "../diagnostics/report/console.ts";
import type { AnyMessage, PlainId } from "../messages/message.ts";
import { sayText, textIn } from "../messages/text-of.ts";

/** The language is wanted before the command line has been understood: a mistake in it has to be told, too. */
export function languageAsked(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Language {
  const at = argv.indexOf("--lang");
  const flag = at < 0 ? argv.find((word) => word.startsWith("--lang="))?.slice("--lang=".length) : argv[at + 1];
  return chooseLanguage(
    languages.find((language) => language === flag),
    env,
  );
}

const headings: Readonly<Record<string, PlainId>> = {
  "Usage:": "help.heading.usage",
  "Options:": "help.heading.options",
  "Commands:": "help.heading.commands",
  "Arguments:": "help.heading.arguments",
};

/** Help and complaints of the command line, and those of all commands added afterwards, in the technician's language. */
export function localize(program: Command, language: Language): void {
  const tell = (id: PlainId) => sayText({ id }, language);
  program
    .helpOption("-h, --help", tell("help.help"))
    .helpCommand("help [command]", tell("help.help_of"))
    .configureOutput({ outputError: (text, write) => write(complaint(text, language)) });
  if (language === "en") return;
  program.configureHelp({
    styleTitle: (title) => {
      const heading = headings[title];
      return heading ? tell(heading) : title;
    },
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
  return usage
    .replace("[options]", textIn({ id: "help.usage.options" }, "zh"))
    .replace("[command]", textIn({ id: "help.usage.command" }, "zh"));
}

/** What an option may be, and what it is when it is not given. */
function remark({ argChoices, defaultValue, required }: Option, language: Language): string {
  const parts: AnyMessage[] = [];
  if (argChoices !== undefined) parts.push({ id: "help.choices", params: { values: argChoices } });
  if (typeof defaultValue === "string" && required) parts.push({ id: "help.default", params: { value: defaultValue } });
  if (parts.length === 0) return "";
  if (language === "both") return ` (${parts.map((part) => sayText(part, language)).join(", ")})`;
  return textIn({ id: "help.remarks", params: { values: parts } }, "zh");
}

type Groups = Readonly<Record<string, string | undefined>>;

/** Commander's own sentences. */
const complaints: readonly (readonly [RegExp, (groups: Groups) => AnyMessage])[] = [
  [/^error: unknown option '(?<option>.+)'/, ({ option = "" }) => ({ id: "help.unknown_option", params: { option } })],
  [
    /^error: unknown command '(?<command>.+)'/,
    ({ command = "" }) => ({ id: "help.unknown_command", params: { command } }),
  ],
  [
    /^error: option '(?<option>.+)' argument missing/,
    ({ option = "" }) => ({ id: "help.no_value", params: { option } }),
  ],
  [
    /^error: option '(?<option>.+)' argument '(?<value>.*)' is invalid\. Allowed choices are (?<allowed>.+)\./,
    ({ option = "", value = "", allowed = "" }) => ({ id: "help.bad_choice", params: { option, value, allowed } }),
  ],
  [
    /^error: missing required argument '(?<name>.+)'/,
    ({ name = "" }) => ({ id: "help.no_argument", params: { name } }),
  ],
  [
    /^error: too many arguments(?<place>(?: for '.+')?)\. Expected (?<expected>\d+ arguments?) but got (?<given>\d+)(?:: (?<extra>.+))?\./,
    ({ place = "", expected = "", given = "", extra = "" }) => ({
      id: "help.too_many",
      params: { place, expected, given, extra },
    }),
  ],
  [
    /\((?<question>Did you mean(?: one of)?) (?<similar>.+)\?\)/,
    ({ question = "", similar = "" }) => ({ id: "help.similar", params: { question, similar } }),
  ],
];

function complaint(said: string, language: Language): string {
  const [zh, en] = (["zh", "en"] as const).map((one) =>
    complaints.reduce((text, [pattern, message]) => {
      const found = pattern.exec(text);
      return found ? text.replace(found[0], () => textIn(message(found.groups ?? {}), one)) : text;
    }, said),
  );
  if (language === "en") return en ?? said;
  return language === "both" && zh !== en ? `${zh?.trimEnd()}\n${en}` : (zh ?? said);
}
