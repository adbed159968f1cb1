import { createHash } from "node:crypto";
import type { Identity } from "../config/config.ts";
import { type Credential, DEMAND_OCTETS, type State, type StoredDemand } from "./credential.ts";

/** After 2200 no clock of ours is right, and far beyond it `Date` has no text for an instant. */
const LATEST_MS = Date.UTC(2200, 0);
/** Specification 4: a longer `expires_in` counts as this. */
const LONGEST_LIFE_MS = 86_400_000;
const DEMAND_TEXT = (DEMAND_OCTETS / 3) * 4;
/** No terminal comes so far in a thousand years; from here on a sum stays exact. */
export const HIGHEST_GENERATION = 2 ** 31;

/**
 * A kept state, or undefined when its shape is not that of format 1 or a value in it can never have been true. Whether a value can be
 * true at this start, by the clocks of this start, is for `agent/credential/age.ts`. Written by hand: a schema library costs its
 * load time at every start. Unknown keys are left out, so that a state of a later minor version stays readable.
 */
export function parseState(bytes: Buffer): State | undefined {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value.format !== 1) return undefined;
  const { generation, rejectedGeneration, newestSignedAtS, wallFloorMs, unsteadyUntilWallMs, ageAtLeastMs } = value;
  if (!isCount(generation)) return undefined;
  if (rejectedGeneration !== undefined && !isCount(rejectedGeneration)) return undefined;
  if (!isTime(newestSignedAtS, LATEST_MS / 1_000)) return undefined;
  if (!isTime(wallFloorMs) || !isTime(unsteadyUntilWallMs)) return undefined;
  if (ageAtLeastMs !== undefined && !isTime(ageAtLeastMs)) return undefined;
  const outOfTurn = parseOutOfTurn(value.outOfTurn);
  const demand = parseDemand(value.demand);
  const common = {
    ...({ format: 1, generation, newestSignedAtS, wallFloorMs, unsteadyUntilWallMs } as const),
    ...(rejectedGeneration === undefined ? {} : { rejectedGeneration }),
    ...(outOfTurn === undefined ? {} : { outOfTurn }),
    ...(demand === undefined ? {} : { demand }),
  };
  if (value.credential === undefined) return common;
  const credential = parseCredential(value.credential);
  // A credential beyond the counter, or a refusal of one that has never been: the next one would have a number that is taken.
  if (credential === undefined || Math.max(credential.generation, rejectedGeneration ?? 0) > generation)
    return undefined;
  return { ...common, credential, ...(ageAtLeastMs === undefined ? {} : { ageAtLeastMs }) };
}

/** Only what bounds the renewals: what cannot be read of it is left out. */
function parseOutOfTurn(value: unknown): State["outOfTurn"] {
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((each: unknown) => {
    if (!isRecord(each)) return [];
    const { occasion, atWallMs } = each;
    return isText(occasion) && isTime(atWallMs) ? [{ occasion, atWallMs }] : [];
  });
}

/** One that is not of this shape is left out: it is learned anew. */
function parseDemand(value: unknown): StoredDemand | undefined {
  if (!isRecord(value)) return undefined;
  const { trades, weight, spaced } = value;
  const isWhole =
    isText(trades) && trades.length === DEMAND_TEXT && Buffer.from(trades, "base64").length === DEMAND_OCTETS;
  return isWhole && isTime(weight) && isTime(spaced) ? { trades, weight, spaced } : undefined;
}

function parseCredential(value: unknown): Credential | undefined {
  if (!isRecord(value)) return undefined;
  const { authinfo, generation, deviceId, netId, bootId, expirySource } = value;
  const { obtainedBootMs, obtainedWallMs, skewMs, lifetimeMs, refreshAfterMs } = value;
  if (!isText(authinfo) || !isText(deviceId) || !isText(bootId)) return undefined;
  if (netId !== undefined && typeof netId !== "string") return undefined;
  if (!isCount(generation) || generation < 1) return undefined;
  if (expirySource !== "response" && expirySource !== "assumed") return undefined;
  if (!isTime(obtainedBootMs) || !isTime(obtainedWallMs) || !isTime(refreshAfterMs)) return undefined;
  if (!isTime(lifetimeMs, LONGEST_LIFE_MS) || lifetimeMs === 0 || refreshAfterMs > lifetimeMs) return undefined;
  if (typeof skewMs !== "number" || !(Math.abs(skewMs) <= LATEST_MS)) return undefined;
  return {
    authinfo,
    generation,
    deviceId,
    ...(netId === undefined ? {} : { netId }),
    bootId,
    obtainedBootMs,
    obtainedWallMs,
    skewMs,
    lifetimeMs,
    expirySource,
    refreshAfterMs,
  };
}

/** The merchant and shop a state belongs to, as a digest: the header is in the clear. */
export function identityDigest(identity: Identity): string {
  const { spMchid, spAppid, subMchid, organizationId, subAppid } = identity;
  // JSON keeps the fields apart: ["ab","c"] is not ["a","bc"].
  const tuple = JSON.stringify([spMchid, spAppid, subMchid, organizationId, subAppid ?? null]);
  return createHash("sha256").update(tuple).digest("hex");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= HIGHEST_GENERATION;
}

/** An instant or a duration; parts of a millisecond are allowed. */
function isTime(value: unknown, most = LATEST_MS): value is number {
  return typeof value === "number" && value >= 0 && value <= most;
}
