import { checkRemedy } from "../../agent/messages/remedies/remedies.ts";
import type { PageLanguage } from "./errors-page.ts";
import { errorClasses } from "./exporter-file.ts";
import { runbook } from "./runbook-texts.ts";

const words = {
  en: {
    title: "Runbook",
    intro:
      "What each alert of [rules.yml](rules.yml) means and what to do, in the words of `facepay-agent diagnose`. Made by `npm run docs`; do not edit.",
    look: "Look at",
    diagnose: "On the terminal, or over the broker with the command `diagnose`:",
    remedies: "What helps, likeliest first:",
    classes: "The numbers of `facepay_fleet_last_error`",
  },
  zh: {
    title: "告警处理手册",
    intro:
      "[rules.yml](rules.yml) 中每条告警的含义与处理办法，与 `facepay-agent diagnose` 的说法一致。由 `npm run docs` 生成，请勿手工修改。",
    look: "查看",
    diagnose: "在终端上执行，或经 MQTT 服务器发出 `diagnose` 命令：",
    remedies: "处理办法，可能性从高到低：",
    classes: "`facepay_fleet_last_error` 的数值",
  },
} as const;

/** `docs/fleet/runbook.md` or its Chinese half. Each alert links to its heading. */
export function runbookPage(language: PageLanguage): string {
  const text = words[language];
  const chapters = Object.entries(runbook).map(([alert, { meaning, look, remedies, steps }]) => {
    const list = remedies.map((id) => `- \`${id}\`: ${checkRemedy(id)[language]}`);
    return [
      `## ${alert}`,
      meaning[language],
      ...(look === undefined ? [] : [`${text.look}: \`${look}\``]),
      ...(steps === undefined ? [] : [steps[language]]),
      ...(list.length === 0
        ? []
        : [text.diagnose, "```sh\nfacepay-agent diagnose\n```", `${text.remedies}\n\n${list.join("\n")}`]),
    ].join("\n\n");
  });
  const classes = errorClasses
    .toSorted(([, a], [, b]) => a - b)
    .map(([, number, meaning]) => `- ${number}: ${meaning[language]}`);
  return `${[`# ${text.title}`, text.intro, ...chapters, `## ${text.classes}`, classes.join("\n")].join("\n\n")}\n`;
}
