import type { Clock } from "../common/clock.ts";
import { AgentError } from "../common/errors.ts";
import type { CaptivePortal, findCaptivePortal } from "./captive-portal.ts";
import { withTimeout } from "./transport/with-timeout.ts";

const LOOK_MS = 2_000;

/**
 * Whether a login page of the network is the reason that HTTPS fails, which shows on port 80 alone. Asked once for each kind of failure
 * until a request succeeds, so that an outage costs a request or two and keeps one code.
 */
export class PortalWatch {
  readonly #find: typeof findCaptivePortal;
  readonly #clock: Clock;
  #known: { readonly code: string; readonly portal: CaptivePortal | undefined } | undefined;

  constructor(find: typeof findCaptivePortal, clock: Clock) {
    this.#find = find;
    this.#clock = clock;
  }

  worked(): void {
    this.#known = undefined;
  }

  /** The failure itself, unless a login page explains it. Never rejects. */
  async explain(failure: AgentError, url: URL, signal: AbortSignal): Promise<AgentError> {
    if (!isHiddenBy(failure) || !hasPort80(url)) return failure;
    const { code } = failure;
    if (this.#known?.code !== code) {
      const look = (deadline: AbortSignal) => this.#find(url.hostname, deadline);
      const portal = await withTimeout(LOOK_MS, this.#clock, signal, look);
      // Not seen in time is not known.
      if (signal.aborted) return failure;
      this.#known = { code, portal };
    }
    const { portal } = this.#known;
    if (portal === undefined) return failure;
    const at = portal.host ?? url.hostname;
    return new AgentError("PAY_CAPTIVE_PORTAL.http", { at, port: 80 }, { cause: failure, context: failure.context });
  }
}

/** A login page is shown for names, and for those on the usual port. */
export function hasPort80(url: URL): boolean {
  return url.port === "" && /[a-z]/i.test(url.hostname);
}

/** Failures that a network gives HTTPS whose page it cannot show there. */
export function isHiddenBy({ code }: AgentError): boolean {
  return /^PAY_(TLS_|CONNECT|UNREACHABLE|TIMEOUT)/.test(code);
}
