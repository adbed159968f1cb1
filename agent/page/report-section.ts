import { sections } from "../diagnostics/check.ts";
import type { Report, ReportedCheck } from "../diagnostics/report/report.ts";
import type { AnyMessage } from "../messages/message.ts";
import { shopTime } from "./findings.ts";
import { type Html, html } from "./html.ts";
import { paragraphs, type Say } from "./layout.ts";

const tones = { pass: "good", warn: "warn", fail: "bad", crash: "bad", skip: "dim" } as const;
/** What a peer has said may be long. */
const MOST_CHARACTERS = 600;

/** @param detail "open": only what there is something to do about; "none": only the advice */
export function reportSection(report: Report, detail: "all" | "open" | "none", say: Say): Html {
  const { summary, advice, checks, run_id: run, agent_version: version, started_at: at } = report;
  const isOpen = ({ status }: ReportedCheck) => status === "fail" || status === "warn" || status === "crash";
  const counts = (["pass", "warn", "fail", "crash", "skip"] as const)
    .filter((status) => summary[status] > 0)
    .map(
      (status): AnyMessage => ({
        id: "outcome.count",
        params: { count: summary[status], outcome: { id: `outcome.${status}` } },
      }),
    );
  const seconds = (report.duration_ms / 1_000).toFixed(1);
  const open = detail === "none" ? [] : checks.filter(isOpen);
  const well = detail === "all" ? checks.filter((check) => !isOpen(check)) : [];
  return html`<section><h2>${say({ id: "page.diagnose" })}</h2>
<p class="dim">${say({ id: "report.head", params: { version, at: shopTime(at), run } })}</p>
<p>${say({ id: "report.result", params: { counts, seconds } })}</p>${paragraphs(cut(say(advice)))}
${open.length > 0 && html`<ul>${open.toSorted(byUrgency(report.first)).map((check) => item(check, say))}</ul>`}
${detail !== "all" && html`<p>${say({ id: "page.shortened" })}</p>`}
${well.length > 0 && html`<details><summary>${say({ id: "page.checks_well", params: { count: well.length } })}</summary>${sections.map((section) => part(section, well, say))}</details>`}</section>`;
}

function part(section: (typeof sections)[number], checks: readonly ReportedCheck[], say: Say): Html {
  const own = checks.filter((check) => check.section === section);
  if (own.length === 0) return html``;
  return html`<h3>${say({ id: `section_of_report.${section}` })}</h3><ul>${own.map((check) => item(check, say))}</ul>`;
}

function item({ status, code, title, detail, remedy }: ReportedCheck, say: Say): Html {
  return html`<li><span class="${tones[status]}">${say({ id: `outcome.${status}` })}</span> ${code} <b>${say(title)}</b> ${cut(say(detail))}${remedy && paragraphs(cut(say(remedy)))}</li>`;
}

/** The one to begin with, failures, and then the rest in the order of cause. */
function byUrgency(first: string | null) {
  const rank = ({ id, status }: ReportedCheck) => (id === first ? 0 : status === "fail" ? 1 : 2);
  return (one: ReportedCheck, other: ReportedCheck) => rank(one) - rank(other) || one.code - other.code;
}

function cut(text: string): string {
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}...` : text;
}
