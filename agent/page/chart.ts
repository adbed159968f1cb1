import type { HistoryDocument, StateInterval } from "../api/history-document.ts";
import { type Html, html } from "./html.ts";

const HOUR_MS = 3_600_000;
/** The first of these that holds all that is known. */
const WINDOWS_H = [1, 3, 6, 12, 24];
const WIDTH = 1_000;
const LIFE_HEIGHT = 120;
const LANE_HEIGHT = 24;
/** A moment is to be seen, too. */
const NARROWEST = 1.5;

/** States in which a cashier app gets no authinfo (specification 5). */
const SERVED = new Set(["fresh", "due", "rejected"]);

/** What the chart shows, as words and numbers: for those who cannot see it, and for the labels. */
export interface ChartFacts {
  readonly hours: number;
  readonly renewed: number;
  readonly failed: number;
  readonly outages: number;
  readonly outageS: number;
  readonly withoutS: number;
  readonly reads: number;
  /** Upper end of the scale of the life that is left. */
  readonly mostMinutes: number;
}

export function factsOfChart(history: HistoryDocument): ChartFacts {
  const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);
  const { attempts, bridge_outages: outages, states, reads } = history;
  const hours = (Date.parse(history.at) - Date.parse(history.from)) / HOUR_MS;
  const mostS = Math.max(600, ...states.map(({ remaining_s = 0 }) => remaining_s));
  return {
    hours: WINDOWS_H.find((each) => each >= hours) ?? 24,
    renewed: sum(attempts.filter(({ outcome }) => outcome === "ok").map(({ count }) => count)),
    failed: sum(attempts.filter(({ outcome }) => outcome !== "ok").map(({ count }) => count)),
    outages: outages.length,
    outageS: sum(outages.map(({ seconds }) => seconds)),
    withoutS: sum(states.filter(({ state }) => !SERVED.has(state)).map(({ seconds }) => seconds)),
    reads: sum(reads.map(({ count }) => count)),
    mostMinutes: Math.ceil(mostS / 600) * 10,
  };
}

/** The lanes of the chart, one above the other with one axis; every label is outside, so that the shapes may be stretched. Pure. */
export function lanesOf(
  history: HistoryDocument,
  facts: ChartFacts,
): { life: Html; attempts: Html; outages: Html; reads: Html } {
  const end = Date.parse(history.at);
  const start = end - facts.hours * HOUR_MS;
  const x = (ms: number) => round(Math.min(Math.max((ms - start) / (end - start), 0), 1) * WIDTH);
  const unknown = rects([[0, x(Date.parse(history.from))]], LANE_HEIGHT);
  const lane = (shapes: Html) => svg(LANE_HEIGHT, html`<path class="fill-unknown" d="${unknown}"/>${shapes}`);
  const spans = (list: readonly { readonly from: string; readonly seconds: number }[]) =>
    list.map(({ from, seconds }) => span(x(Date.parse(from)), x(Date.parse(from) + seconds * 1_000)));
  const most = Math.max(1, ...history.reads.map(({ count }) => count));
  const bars = history.reads
    .map(({ count, ...each }) => ({
      at: spans([each])[0] ?? ([0, 0] as const),
      height: round(4 + (count / most) * (LANE_HEIGHT - 4)),
    }))
    .map(({ at: [from, to], height }) => `M${from} ${LANE_HEIGHT}V${round(LANE_HEIGHT - height)}H${to}V${LANE_HEIGHT}Z`)
    .join("");
  return {
    life: lifeLane(history, facts, x),
    attempts: lane(html`${ticks(history, true, x)}${ticks(history, false, x)}`),
    outages: lane(html`<path class="fill-bad" d="${rects(spans(history.bridge_outages), LANE_HEIGHT)}"/>`),
    reads: lane(html`<path class="fill-read" d="${bars}"/>`),
  };
}

type Scale = (ms: number) => number;

function lifeLane({ states, from }: HistoryDocument, { mostMinutes }: ChartFacts, x: Scale): Html {
  const y = (seconds: number) => round(LIFE_HEIGHT * (1 - Math.min(1, Math.max(0, seconds) / (mostMinutes * 60))));
  const life = livesOf(states)
    .map(({ at, remainingS, seconds }) => {
      const lasts = Math.min(seconds, remainingS);
      return `M${x(at)} ${LIFE_HEIGHT}V${y(remainingS)}L${x(at + lasts * 1_000)} ${y(remainingS - lasts)}V${LIFE_HEIGHT}Z`;
    })
    .join("");
  const without = states
    .filter(({ state }) => !SERVED.has(state))
    .map((each) => span(x(Date.parse(each.from)), x(Date.parse(each.from) + each.seconds * 1_000)));
  const shapes = html`<path class="fill-unknown" d="${rects([[0, x(Date.parse(from))]], LIFE_HEIGHT)}"/><path class="fill-none" d="${rects(without, LIFE_HEIGHT)}"/><path class="fill-life" d="${life}"/>`;
  return svg(LIFE_HEIGHT, shapes);
}

/** The states of one authinfo together: its life falls evenly through all of them. */
function livesOf(
  states: readonly StateInterval[],
): { at: number; remainingS: number; seconds: number; generation: number }[] {
  const lives: { at: number; remainingS: number; seconds: number; generation: number }[] = [];
  for (const { from, seconds, generation, remaining_s: remainingS } of states) {
    if (generation === undefined || remainingS === undefined) continue;
    const last = lives.at(-1);
    const at = Date.parse(from);
    const follows = last?.generation === generation && Math.abs(last.remainingS - last.seconds - remainingS) < 10;
    if (last !== undefined && follows) last.seconds = (at - last.at) / 1_000 + seconds;
    else lives.push({ at, remainingS, seconds, generation });
  }
  return lives;
}

/** One for each attempt; a run of many is a line from the first to the last. */
function ticks({ attempts }: HistoryDocument, ok: boolean, x: Scale): Html {
  const [top, bottom] = ok ? [2, LANE_HEIGHT / 2] : [LANE_HEIGHT / 2, LANE_HEIGHT - 2];
  const path = attempts
    .filter(({ outcome }) => (outcome === "ok") === ok)
    .map(({ from, seconds }) => {
      const [start, end] = [x(Date.parse(from)), x(Date.parse(from) + seconds * 1_000)];
      const tick = `M${start} ${top}V${bottom}`;
      return end > start ? `${tick}M${start} ${(top + bottom) / 2}H${end}` : tick;
    })
    .join("");
  return html`<path class="${ok ? "tick-ok" : "tick-bad"}" d="${path}"/>`;
}

function span(from: number, to: number): readonly [number, number] {
  return [round(Math.min(from, WIDTH - NARROWEST)), round(Math.max(to, Math.min(from, WIDTH - NARROWEST) + NARROWEST))];
}

function rects(list: readonly (readonly [number, number])[], height: number): string {
  return list.map(([from, to]) => (to > from ? `M${from} 0H${to}V${height}H${from}Z` : "")).join("");
}

function svg(height: number, shapes: Html): Html {
  return html`<svg viewBox="0 0 ${WIDTH} ${height}" height="${height}" preserveAspectRatio="none" aria-hidden="true">${shapes}</svg>`;
}

const round = (value: number) => Math.round(value * 10) / 10;
