import type { SdkDriver } from "../../drivers/sdk/driver.ts";
import type { Clock } from "../common/clock.ts";
import { type AgentError, isAgentError } from "../common/errors.ts";
import type { SeenSecrets } from "../common/log/sanitize-untrusted.ts";
import { causeOf, json, problem, type Reply } from "./http/problem.ts";
import type { RejectionReason } from "./http/rejection-reasons.ts";
import type { PostRoute } from "./http/routes.ts";

const MAX_WAITING = 8;
const TOO_BUSY = problem("TOO_BUSY", { retryAfterS: 1 });

export interface SdkCallDeps {
  readonly clock: Clock;
  readonly denied: (reason: RejectionReason) => void;
  readonly driver: () => Pick<SdkDriver, "call"> | undefined;
  readonly used: () => void;
  /** Told what secrets go through. */
  readonly given: Pick<SeenSecrets, "add">;
}

/** `POST /v1/sdk/call`: one vendor request through the agent's line. The driver queues it first and sets its deadline. */
export function createSdkCalls({ clock, denied, driver, used, given }: SdkCallDeps): PostRoute {
  let waiting = 0;
  return async (body, signal) => {
    if (body === undefined || typeof body.cmd !== "string" || body.cmd === "") {
      denied("body_invalid");
      return problem("BODY_INVALID", { detail: 'Expected {"cmd": "...", ...}.' });
    }
    const sdk = driver();
    if (sdk === undefined) return problem("UNPROVISIONED", { retryAfterS: 30 });
    if (waiting >= MAX_WAITING) {
      denied("too_busy");
      return TOO_BUSY;
    }
    waiting++;
    used();
    try {
      given.add(body.authinfo);
      const answer = await sdk.call(body, signal);
      given.add((answer as { readonly rawdata?: unknown } | null)?.rawdata);
      return json(200, answer);
    } catch (error) {
      if (!isAgentError(error)) {
        // No answer after the caller has left or the agent stops; any other error is a defect of the agent.
        if (signal.aborted) return problem("BRIDGE_UNAVAILABLE", { retryAfterS: 1 });
        throw error;
      }
      return failedCall(error, clock.wall());
    } finally {
      waiting--;
    }
  };
}

function failedCall(error: AgentError, wallMs: number): Reply {
  const cause = causeOf(error, wallMs);
  switch (error.code) {
    case "BRIDGE_TIMEOUT":
    case "SDK_HUNG":
      return problem("SDK_CALL_TIMEOUT", { cause });
    case "SDK_SERVICE_DOWN":
    case "SDK_NATIVE_ERROR": {
      const { status } = error.params;
      return problem("SDK_NATIVE_ERROR", { cause, ...(status === undefined ? {} : { extra: { data: { status } } }) });
    }
    case "BRIDGE_NOT_FOUND":
    case "BRIDGE_AMBIGUOUS":
    case "BRIDGE_PERMISSION":
    case "BRIDGE_BUSY":
    case "BRIDGE_OPEN_FAILED":
    case "BRIDGE_LOST":
    case "BRIDGE_NOT_READY":
    case "BRIDGE_FOREIGN_DATA":
    case "BRIDGE_ECHO":
    case "BRIDGE_CLOSED":
      return problem("BRIDGE_UNAVAILABLE", { cause, retryAfterS: 1 });
    default:
      return problem("SDK_CALL_FAILED", { cause });
  }
}
