import { chanceFor, pick, spread } from "./chance.ts";
import type { Device } from "./device.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** What may befall a terminal, with the least and the most it lasts, ms. */
const kinds = {
  network: [2 * SECOND_MS, 3 * 60 * MINUTE_MS],
  one_origin: [MINUTE_MS, 4 * 60 * MINUTE_MS],
  answers: [5 * SECOND_MS, 2 * 60 * MINUTE_MS],
  refusals: [5 * SECOND_MS, 2 * 60 * MINUTE_MS],
  renumbered: [0, 0],
  disk: [SECOND_MS, 60 * MINUTE_MS],
  line: [SECOND_MS, 60 * MINUTE_MS],
  bridge: [SECOND_MS, 30 * MINUTE_MS],
  bridge_restart: [0, 0],
  sdk_forgets: [0, 0],
  sdk_initialising: [SECOND_MS, 2 * MINUTE_MS],
  network_card: [0, 0],
  other_board: [0, 0],
  clock_step: [MINUTE_MS, 3 * 60 * MINUTE_MS],
  suspend: [SECOND_MS, 2 * 60 * MINUTE_MS],
  power_cut: [5 * SECOND_MS, 4 * 60 * MINUTE_MS],
  power_cut_while_writing: [5 * SECOND_MS, 5 * MINUTE_MS],
  kill: [2 * SECOND_MS, 10 * SECOND_MS],
  kill_while_writing: [2 * SECOND_MS, 10 * SECOND_MS],
  upgrade: [2 * SECOND_MS, 30 * SECOND_MS],
  reload: [0, 0],
  bad_reload: [MINUTE_MS, 60 * MINUTE_MS],
  reject: [0, 0],
  technician: [0, 0],
  app_calls: [SECOND_MS, MINUTE_MS],
  rot: [0, 0],
  terms: [10 * MINUTE_MS, 6 * 60 * MINUTE_MS],
} as const satisfies Record<string, readonly [least: number, most: number]>;

export type IncidentKind = keyof typeof kinds;

export interface Incident {
  readonly number: number;
  readonly kind: IncidentKind;
  readonly atMs: number;
  readonly forMs: number;
}

/** How often each comes, in parts of all. */
const weights: Partial<Record<IncidentKind, number>> = {
  network: 6,
  one_origin: 3,
  answers: 6,
  refusals: 6,
  disk: 5,
  line: 3,
  bridge: 5,
  power_cut: 3,
  power_cut_while_writing: 4,
  kill_while_writing: 2,
  clock_step: 2,
  reject: 3,
  technician: 2,
  app_calls: 2,
};

const bag = (Object.keys(kinds) as IncidentKind[]).flatMap((kind) =>
  Array<IncidentKind>(weights[kind] ?? 1).fill(kind),
);

const BURST = 30;
const BURST_MS = 80 * MINUTE_MS;
const repeated = [
  ...(["reject", "reject", "network_card", "bridge_restart", "renumbered", "other_board"] as const),
  ...(["kill", "upgrade", "reload", "clock_step"] as const),
] satisfies readonly IncidentKind[];

/**
 * What befalls this terminal, known before its life begins: so one of them can be left out, and the others still come. Some days are quiet, on some
 * everything comes at once.
 */
export function drawIncidents(seed: number, days: number, device: Device): readonly Incident[] {
  const incidents: Incident[] = [];
  for (let day = 0; day < days; day++) {
    if (day % 7 === device.closedOn) continue;
    const chance = chanceFor(seed, "incidents", day);
    const { opensAtMs, closesAtMs } = device;
    const beginsAt = day * DAY_MS + opensAtMs + 5 * MINUTE_MS;
    const openFor = closesAtMs - opensAtMs - 6 * MINUTE_MS;
    if (chance.unit() < 0.1) {
      // The same thing again and again, more often than renewals may follow.
      const kind = pick(chance, repeated);
      const from = beginsAt + chance.unit() * (openFor - BURST_MS);
      for (let i = 0; i < BURST; i++) {
        const atMs = Math.round(from + chance.unit() * BURST_MS);
        incidents.push({ number: 0, kind, atMs, forMs: Math.min(kinds[kind][0], 5 * SECOND_MS) });
      }
      continue;
    }
    const count = pick(chance, [0, 2, 4, 6, 8, 12, 20]);
    // Little goes wrong in many ways; on a bad day one thing does so again and again.
    const few = chance.unit() < 0.3 ? [pick(chance, bag), pick(chance, bag)] : bag;
    for (let i = 0; i < count; i++) {
      const kind = pick(chance, few);
      const [least, most] = kinds[kind];
      const atMs = Math.round(beginsAt + chance.unit() * openFor);
      incidents.push({ number: 0, kind, atMs, forMs: most === 0 ? 0 : spread(chance, least, most) });
    }
  }
  incidents.sort((a, b) => a.atMs - b.atMs);
  return incidents.map((incident, number) => ({ ...incident, number }));
}
