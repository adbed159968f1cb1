import type { ErrorCode } from "../../agent/common/errors.ts";
import type { Rule } from "./rule.ts";
import { HOUR, MINUTE, SECOND } from "./trace.ts";

/** What other credential agents do, by their source, for an authinfo of one hour. */
const LIFE = HOUR;
const NOTHING = () => {};

/** `0 * * * * renew`, without a retry. */
export function hourlyCron(unit: () => number): Rule {
  const minute = unit() * HOUR;
  let from = 0;
  return {
    boot: NOTHING,
    nextAt: (now) => Math.ceil((Math.max(now, from) - minute) / HOUR) * HOUR + Math.ceil(minute),
    started: (now) => {
      from = now + 1;
    },
    succeeded: NOTHING,
    failed: NOTHING,
    linkChanged: NOTHING,
  };
}

/**
 * On-demand caching (Greengrass TES): fetched when a caller comes, here each minute, and nothing good for five more
 * minutes is cached; a failure replaces what is cached, for a minute after a 5xx, for five after any other.
 */
export function onDemandCache(unit: () => number): Rule {
  const phase = unit() * MINUTE;
  let cachedUntil = 0;
  return {
    boot: (now) => {
      cachedUntil = now;
    },
    nextAt: (now) => Math.ceil((Math.max(now, cachedUntil) - phase) / MINUTE) * MINUTE + Math.ceil(phase),
    started: NOTHING,
    succeeded: (sent) => {
      cachedUntil = sent + LIFE - 5 * MINUTE;
    },
    failed: (code: ErrorCode, now) => {
      cachedUntil = now + (code === "PAY_UNAVAILABLE" ? MINUTE : 5 * MINUTE);
    },
    linkChanged: NOTHING,
    dropsOnFailure: true,
  };
}

/** A rule that waits for one instant, drawn after each attempt. */
function scheduled(afterSuccess: (sentMs: number) => number, backoffMs: (failures: number) => number): Rule {
  let at = 0;
  let failures = 0;
  return {
    boot: (now) => {
      at = now;
      failures = 0;
    },
    nextAt: (now) => Math.max(now, Math.ceil(at)),
    started: NOTHING,
    succeeded: (sent) => {
      failures = 0;
      at = afterSuccess(sent);
    },
    failed: (_code, now) => {
      at = now + backoffMs(failures);
      failures++;
    },
    linkChanged: NOTHING,
  };
}

/** SPIRE's rotator: half of the life, +-10 % of the half drawn anew at each look, every 5 s; 5 s x 1.5, +-10 %, cap 120 s. */
export function spire(unit: () => number): Rule {
  const half = LIFE / 2;
  return scheduled(
    (sent) => {
      let look = sent + half * 0.9;
      while (look - sent < half * (0.9 + 0.2 * unit())) look += 5 * SECOND;
      return look;
    },
    (failures) => Math.min(5 * SECOND * 1.5 ** failures, 120 * SECOND) * (0.9 + 0.2 * unit()),
  );
}

/** Vault Agent's LifetimeWatcher, its hot loop fixed: 2/3 of the life and a third of a grace of 10 to 20 %; 10 s x 2, +-50 %, cap 5 min. */
export function vaultAgent(unit: () => number): Rule {
  return scheduled(
    (sent) => sent + LIFE * (2 / 3 + (0.1 + 0.1 * unit()) / 3),
    (failures) => Math.min(10 * SECOND * 2 ** failures * (0.5 + unit()), 5 * MINUTE),
  );
}
