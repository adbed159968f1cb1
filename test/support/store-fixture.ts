import { mkdtemp, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { State } from "../../agent/authinfo/credential.ts";
import { systemClock } from "../../agent/clock.ts";
import { systemEntropy } from "../../agent/entropy.ts";
import type { Log, LogFields } from "../../agent/log/log.ts";

export const shopIdentity = {
  spMchid: "1900000100",
  spAppid: "wxtest000000000001",
  subMchid: "1900000109",
  organizationId: "O-1",
} as const;

/** What openStore needs besides the directory. */
export const parts = { identity: shopIdentity, clock: systemClock(), entropy: systemEntropy } as const;

export function stateOf(generation: number, change: { authinfo?: string; deviceId?: string } = {}): State {
  return {
    format: 1,
    generation,
    credential: {
      authinfo: change.authinfo ?? `authinfo-of-generation-${generation}`,
      generation,
      deviceId: change.deviceId ?? "device-1",
      netId: "eth0",
      bootId: "boot-1",
      obtainedBootMs: 1000.5,
      obtainedWallMs: 1_780_000_000_000,
      skewMs: -12,
      lifetimeMs: 3_600_000,
      expirySource: "assumed",
      refreshAfterMs: 1_700_000,
    },
    newestSignedAtS: 1_780_000_000 + generation,
    wallFloorMs: 1_780_000_000_000,
    unsteadyUntilWallMs: 0,
  };
}

export async function temporaryDirectory(): Promise<{ directory: string } & AsyncDisposable> {
  const directory = await mkdtemp(path.join(os.tmpdir(), "facepay-store-"));
  return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}

/** The names in a directory, sorted, without the lock's. */
export async function namesIn(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => !/^\.?lock\./.test(name)).sort();
}

export function recordingLog(): Log & { readonly lines: { code: string; fields: LogFields | undefined }[] } {
  const lines: { code: string; fields: LogFields | undefined }[] = [];
  const add = (code: string, fields?: LogFields) => void lines.push({ code, fields });
  return { lines, debug: add, info: add, warn: add, error: add };
}
