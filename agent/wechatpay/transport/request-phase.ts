import { AgentError, isAgentError, systemCode } from "../../common/errors.ts";
import { explainedByName, type NameLookup } from "./name-lookup.ts";

/**
 * How far one request has got, so that one whose time is up is told by what it was waiting for, whichever of the timers
 * above and below has ended it: a technician looks elsewhere for dead name servers than for a dead way.
 */
export class RequestPhase {
  readonly #names: NameLookup;
  #tunnelling = false;
  #connecting = false;
  /** The other end has taken the connection, so that TLS alone is missing. */
  #taken = false;

  constructor(names: NameLookup) {
    this.#names = names;
  }

  /** A request begins; over a kept connection it goes no further than that. */
  begun(): void {
    this.#tunnelling = false;
    this.#connecting = false;
    this.#taken = false;
  }

  tunnelling(stands: boolean): void {
    this.#tunnelling = !stands;
    this.#taken = stands;
  }

  connecting(): void {
    this.#connecting = true;
  }

  taken(): void {
    this.#taken = true;
  }

  connected(): void {
    this.#connecting = false;
  }

  /** What the request has failed with, given its error. */
  failed(error: unknown): unknown {
    const byName = this.#connecting ? explainedByName(this.#names.fault, error) : undefined;
    const verdict = byName ?? this.#timedOut(error) ?? error;
    if (this.#connecting) this.#names.turn();
    return verdict;
  }

  #timedOut(error: unknown): AgentError | undefined {
    if (!isAgentError(error, "PAY_TIMEOUT") && systemCode(error) !== "UND_ERR_CONNECT_TIMEOUT") return undefined;
    const options = { cause: error };
    if (this.#tunnelling) return new AgentError("PAY_PROXY", {}, options);
    if (this.#names.waiting) return new AgentError("PAY_DNS.timeout", {}, options);
    if (!this.#connecting) return undefined;
    if (this.#taken) {
      const silent = { ...options, context: { system: "TLS_SILENT" } };
      return new AgentError("PAY_CONNECT_TIMEOUT.tls", {}, silent);
    }
    return new AgentError("PAY_CONNECT_TIMEOUT", {}, options);
  }
}
