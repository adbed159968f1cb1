import type { Bilingual } from "../language.ts";
import { heardInstead } from "../messages/line-rules.ts";
import { failureIn, remedyOf, type ToldFailure } from "../remedies.ts";
import type { StatusDocument } from "./status-document.ts";

const SILENCE = new Set(["BRIDGE_TIMEOUT", "BRIDGE_NOT_READY"]);

/** What to do about a failure, with all that the status around it tells: a line that carries something is not dead. */
export function remedyIn(
  told: ToldFailure,
  { bridge, wechatpay }: Pick<StatusDocument, "bridge" | "wechatpay">,
): Bilingual | undefined {
  // A bridge that has given its name since the start of the line is the right one, and its silence of another kind.
  const unnamed = bridge !== null && bridge.bridge === null && SILENCE.has(told.code);
  const heard = unnamed ? heardInstead(bridge.frames ?? {}) : undefined;
  return heard?.remedy ?? remedyOf(failureIn(told, wechatpay));
}
