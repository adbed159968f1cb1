import type { HistoryDocument } from "../api/history-document.ts";
import type { Report } from "../diagnostics/report/report.ts";
import { durationText } from "../messages/duration-text.ts";
import type { AnyMessage, Text } from "../messages/message.ts";
import { textById, textOf } from "../messages/text-of.ts";
import { factsOfChart, lanesOf } from "./chart.ts";
import { judgePage, shopTime, supportCodeOf } from "./findings.ts";
import { type Html, html } from "./html.ts";
import { documentOf, languageNames, languageTags, type PageLanguage, paragraphs, type Say } from "./layout.ts";
import type { Action, Fact, Finding, PageView } from "./page-view.ts";
import { reportSection } from "./report-section.ts";

export interface PageAddresses {
  /** Path below which everything lies, with its last slash. */
  readonly root: string;
  readonly csrf: string;
}

/** Specification 11. */
export const MOST_PAGE_BYTES = 60 * 1_024;
const MOST_EVENTS = 40;
/** While something is under way the page shows by itself what comes of it. */
const RELOAD_S = 3;

/** The page as a whole, at most 60 KB: a report that is too long loses what needs nothing done. Pure. */
export function renderPage(view: PageView, language: PageLanguage, addresses: PageAddresses): Html {
  for (const detail of ["all", "open", "none"] as const) {
    const page = render(view, language, addresses, detail);
    if (page.bytes <= MOST_PAGE_BYTES || detail === "none") return page;
  }
  throw new Error("unreachable");
}

function render(
  view: PageView,
  language: PageLanguage,
  addresses: PageAddresses,
  detail: "all" | "open" | "none",
): Html {
  const say: Say = (text) => textOf(text)[language];
  const { look, report, refresh, diagnose } = view;
  const { tone, verdict, findings } = judgePage(view);
  const history = look.kind === "running" ? look.history : undefined;
  return documentOf({
    title: say({ id: "page.title" }),
    language,
    ...(refresh.running || diagnose.running ? { reloadS: RELOAD_S } : {}),
    body: html`${head(view, language, say)}
<main>
<section class="verdict ${tone}"><h1>${say(verdict)}</h1>${firstOf(findings, verdict, say)}${findings.length > 0 && supportCode(view, say)}</section>
${others(findings.slice(1), say)}
${actions(view, addresses, language, say)}
<section><h2>${say({ id: "page.state" })}</h2>${facts(look.facts, say)}</section>
${chart(history, say)}
${reportOf(report, diagnose, detail, say)}
</main>
<footer>${say({ id: "page.ends" })}</footer>`,
  });
}

function head({ look, atWallMs, version }: PageView, language: PageLanguage, say: Say): Html {
  const status = look.kind === "running" ? look.status : undefined;
  const device = status?.authinfo.device_id ?? status?.bridge?.device_id;
  const other = language === "en" ? "zh" : "en";
  const tag = languageTags[other];
  return html`<header><b>${say({ id: "page.title" })}</b>${device && html`<span>${say({ id: "page.device", params: { device } })}</span>`}<span>facepay-agent ${status?.version ?? version}</span><time>${shopTime(new Date(atWallMs).toISOString())}</time><nav><a href="?lang=${tag}" lang="${tag}">${languageNames[other]}</a></nav></header>`;
}

function firstOf([first]: readonly Finding[], verdict: Text, say: Say): Html {
  if (first === undefined) return html``;
  const { what, since, remedy } = first;
  const cause = html`<p>${say(what)}${since && html` <span class="dim">(${say({ id: "page.since", params: { at: shopTime(since) } })})</span>`}</p>`;
  if (remedy === undefined) return cause;
  const isSaid = say(what) === say(verdict);
  return html`<p class="dim">${say({ id: "page.do_this" })}</p><div class="first">${paragraphs(say(remedy))}</div>${!isSaid && html`<p class="dim">${say({ id: "page.cause" })}</p>${cause}`}`;
}

function supportCode(view: PageView, say: Say): Html {
  const code = supportCodeOf(view);
  return html`${code && html`<p><span class="dim">${say({ id: "page.support_code" })}</span> <b>${code}</b></p>`}`;
}

function others(findings: readonly Finding[], say: Say): Html {
  if (findings.length === 0) return html``;
  const items = findings.map(
    ({ what, since, remedy, tone }) =>
      html`<li><b class="${tone}">${say(what)}</b>${since && html` <span class="dim">(${say({ id: "page.since", params: { at: shopTime(since) } })})</span>`}${remedy && paragraphs(say(remedy))}</li>`,
  );
  return html`<section><h2>${say({ id: "page.also" })}</h2><ul>${items}</ul></section>`;
}

function actions(
  { look, report, refresh, diagnose }: PageView,
  { root, csrf }: PageAddresses,
  language: PageLanguage,
  say: Say,
): Html {
  const tag = languageTags[language];
  const button = (name: string, label: AnyMessage, running: boolean) =>
    html`<form method="post" action="${root}${name}"><input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="lang" value="${tag}"><button${running && html` disabled`}>${say(label)}</button></form>`;
  return html`<section><h2>${say({ id: "page.actions" })}</h2><div class="actions">
${look.kind === "running" && button("refresh", { id: "page.do_refresh" }, refresh.running)}
${button("diagnose", { id: "page.do_diagnose" }, diagnose.running)}
${report && html`<a class="button" href="${root}bundle?lang=${tag}">${say({ id: "page.do_bundle" })}</a>`}
<a class="button" href="${root}?lang=${tag}">${say({ id: "page.reload" })}</a></div>
${outcome(refresh, { id: "page.refreshing" }, say)}${outcome(diagnose, { id: "page.diagnosing" }, say)}</section>`;
}

function outcome({ running, outcome: last }: Action, meanwhile: AnyMessage, say: Say): Html {
  if (running) return html`<p>${say(meanwhile)}</p>`;
  if (last === undefined) return html``;
  return html`<p class="${last.good ? "good" : "bad"}">${say(last.text)}</p>${last.remedy && paragraphs(say(last.remedy))}`;
}

function facts(list: readonly Fact[], say: Say): Html {
  // What to do stands above, larger.
  const shown = list.filter(({ label }) => label === undefined || !("id" in label) || label.id !== "status.what_to_do");
  const rows = shown.map(({ label, value, tone }) => {
    const term = label === undefined ? "" : html`<dt>${say(label)}</dt>`;
    return html`${term}<dd${tone && tone !== "good" && html` class="${tone}"`}>${paragraphs(say(value))}</dd>`;
  });
  return html`<dl>${rows}</dl>`;
}

function chart(history: HistoryDocument | undefined, say: Say): Html {
  if (history === undefined)
    return html`<section><h2>${say({ id: "page.history", params: { hours: 24 } })}</h2><p>${say({ id: "page.no_history" })}</p></section>`;
  const found = factsOfChart(history);
  const lanes = lanesOf(history, found);
  const time = (seconds: number) => durationText(Math.round(seconds));
  const without: AnyMessage =
    found.withoutS >= 1 ? { id: "page.without", params: { time: time(found.withoutS) } } : { id: "page.never_without" };
  const outages: AnyMessage =
    found.outages > 0
      ? { id: "page.outages", params: { outages: found.outages, time: time(found.outageS) } }
      : { id: "page.no_outages" };
  const lane = (label: Part, shape: Html) => html`<div class="lane"><div>${label}</div>${shape}</div>`;
  const end = Date.parse(history.at);
  const hourMs = 3_600_000;
  const marks = [4, 3, 2, 1].map((quarter) =>
    shopTime(new Date(end - (found.hours * hourMs * quarter) / 4).toISOString()).slice(11, 16),
  );
  const isShort = Date.parse(history.from) > end - found.hours * hourMs + 60_000;
  return html`<section><h2>${say({ id: "page.history", params: { hours: found.hours } })}</h2>
${lane(html`${say({ id: "page.life", params: { minutes: found.mostMinutes } })} <span class="${found.withoutS >= 1 ? "bad" : "good"}">${say(without)}</span>`, lanes.life)}
${lane(say({ id: "page.attempts", params: { renewed: found.renewed, failed: found.failed } }), lanes.attempts)}
${lane(say(outages), lanes.outages)}
${lane(say({ id: "page.reads", params: { reads: found.reads } }), lanes.reads)}
<div class="axis">${marks.map((mark) => html`<time>${mark}</time>`)}<span>${say({ id: "page.now" })}</span></div>
${isShort && html`<p class="dim">${say({ id: "page.unknown_before" })}</p>`}${events(history, say)}</section>`;
}

type Part = Html | string;

/** What the chart shows in colours, as a list: the newest first. */
function events({ attempts, bridge_outages: outages, states }: HistoryDocument, say: Say): Html {
  const time = (seconds: number) => durationText(Math.round(seconds));
  const all: { readonly from: string; readonly text: AnyMessage }[] = [
    ...attempts
      .filter(({ outcome }) => outcome !== "ok")
      .map(({ from, outcome, count }) => {
        const words = textById(`request.${outcome.toLowerCase()}`, outcome);
        return { from, text: { id: "page.event_attempt", params: { outcome: words, count } } as const };
      }),
    ...outages.map(({ from, seconds, code = "" }) => ({
      from,
      text: { id: "page.event_outage", params: { time: time(seconds), code } } as const,
    })),
    ...states
      .filter(({ state, seconds }) => state !== "fresh" && seconds >= 1)
      .map(({ from, seconds, state }) => ({
        from,
        text: {
          id: "page.event_state",
          params: { state: textById(`state.${state}`, state), time: time(seconds) },
        } as const,
      })),
  ];
  if (all.length === 0) return html``;
  const newest = all.toSorted((one, other) => other.from.localeCompare(one.from)).slice(0, MOST_EVENTS);
  return html`<details><summary>${say({ id: "page.events", params: { count: all.length } })}</summary><ul>${newest.map(
    ({ from, text }) => html`<li><time>${shopTime(from)}</time> ${say(text)}</li>`,
  )}</ul></details>`;
}

function reportOf(report: Report | undefined, diagnose: Action, detail: "all" | "open" | "none", say: Say): Html {
  if (report !== undefined) return reportSection(report, detail, say);
  const text: Text = diagnose.running ? { id: "page.diagnosing" } : { id: "page.no_report" };
  return html`<section><h2>${say({ id: "page.diagnose" })}</h2><p>${say(text)}</p></section>`;
}
