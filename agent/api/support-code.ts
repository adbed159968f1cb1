import { NO_CAUSE, numberOfFailure } from "../common/support/cause-numbers.ts";
import { encodeSupportCode } from "../common/support/support-code.ts";
import { version } from "../common/version.ts";
import type { AuthinfoView } from "../credential/credential-types.ts";

/** The support code of an agent that tells this (specification 11). */
export function supportCodeOf(
  { state, cause: told }: AuthinfoView,
  deviceId: string | undefined,
  wallMs: number,
): string {
  const unprovisioned = state === "unprovisioned" ? { code: "UNPROVISIONED" } : undefined;
  const cause = told ?? unprovisioned;
  const lastedS = told && (wallMs - told.sinceWallMs) / 1_000;
  return encodeSupportCode({ version, state, cause: cause ? numberOfFailure(cause) : NO_CAUSE, lastedS, deviceId });
}
