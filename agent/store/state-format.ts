import { createHash } from "node:crypto";
import type { Credential, State } from "../authinfo/credential.ts";
import type { Identity } from "../config/config.ts";

/**
 * A kept state, or undefined when its shape is not that of format 1. Written by hand: a schema library costs its load
 * time at every start. Unknown keys are left out, so that a state of a later minor version stays readable.
 */
export function parseState(bytes: Buffer): State | undefined {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value.format !== 1) return undefined;
  const { generation, rejectedGeneration, newestSignedAtS, wallFloorMs, unsteadyUntilWallMs } = value;
  if (!isCount(generation)) return undefined;
  if (rejectedGeneration !== undefined && !isCount(rejectedGeneration)) return undefined;
  if (!isTime(newestSignedAtS) || !isTime(wallFloorMs) || !isTime(unsteadyUntilWallMs)) return undefined;
  const common = {
    ...({ format: 1, generation, newestSignedAtS, wallFloorMs, unsteadyUntilWallMs } as const),
    ...(rejectedGeneration === undefined ? {} : { rejectedGeneration }),
  };
  if (value.credential === undefined) return common;
  const credential = parseCredential(value.credential);
  return credential && { ...common, credential };
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
  if (!isTime(lifetimeMs) || lifetimeMs === 0) return undefined;
  if (typeof skewMs !== "number" || !Number.isFinite(skewMs)) return undefined;
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
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** An instant or a duration; parts of a millisecond are allowed. */
function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
