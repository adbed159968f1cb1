import type { AuthinfoView, Cause, Keeper, Rejection } from "../authinfo/keeper-types.ts";
import { AgentError } from "../errors.ts";

/**
 * The keeper that the API knows: passes everything on to the one at work, which a reload replaces while readers and
 * subscribers stay. Without one the terminal is unprovisioned.
 */
export class KeeperRelay implements Keeper {
  readonly #listeners = new Set<(view: AuthinfoView) => void>();
  #keeper: Keeper | undefined;
  #whyNone: Cause | undefined;
  #unsubscribe: () => void = () => {};

  /** Puts another keeper to work and tells every subscriber what it holds. */
  use(keeper: Keeper | undefined): void {
    this.#unsubscribe();
    this.#keeper = keeper;
    this.#unsubscribe = keeper?.subscribe((view) => this.#tell(view)) ?? (() => {});
    this.#tell(this.view());
  }

  /** Why there is none to use: the configuration that appeared was refused. */
  explain(cause: Cause): void {
    this.#whyNone = cause;
    if (!this.#keeper) this.#tell(this.view());
  }

  view(): AuthinfoView {
    return this.#keeper?.view() ?? { ...UNPROVISIONED, ...(this.#whyNone && { cause: this.#whyNone }) };
  }

  retryAfterS(): number {
    return this.#keeper?.retryAfterS() ?? UNPROVISIONED_RETRY_S;
  }

  subscribe(listener: (view: AuthinfoView) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  reject(rejection: Rejection): "renewing" | "limited" | "outdated" {
    return this.#keeper?.reject(rejection) ?? "outdated";
  }

  refresh(signal: AbortSignal): Promise<AuthinfoView> {
    if (this.#keeper) return this.#keeper.refresh(signal);
    return Promise.reject(new AgentError("UNPROVISIONED", {}));
  }

  #tell(view: AuthinfoView): void {
    for (const listener of [...this.#listeners]) listener(view);
  }
}

const UNPROVISIONED_RETRY_S = 60;
const UNPROVISIONED: AuthinfoView = {
  state: "unprovisioned",
  remainingMs: 0,
  clockTrusted: true,
  persisted: false,
};
