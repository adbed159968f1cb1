import { AgentError } from "../common/errors.ts";
import type { AuthinfoView, Cause, CredentialService, Rejection } from "../credential/credential-types.ts";

/**
 * The `CredentialService` that the API knows: passes everything on to the manager at work, which a reload replaces while readers and
 * subscribers stay. Without one the terminal is unprovisioned.
 */
export class CredentialManagerProxy implements CredentialService {
  readonly #listeners = new Set<(view: AuthinfoView) => void>();
  #credentials: CredentialService | undefined;
  #whyNone: Cause | undefined;
  #unsubscribe: () => void = () => {};

  /** Puts another manager to work and tells every subscriber what it holds. */
  use(credentials: CredentialService | undefined): void {
    this.#unsubscribe();
    this.#credentials = credentials;
    this.#unsubscribe = credentials?.subscribe((view) => this.#tell(view)) ?? (() => {});
    this.#tell(this.view());
  }

  /** Why there is none to use: the configuration that appeared was refused. */
  explain(cause: Cause): void {
    this.#whyNone = cause;
    if (!this.#credentials) this.#tell(this.view());
  }

  view(): AuthinfoView {
    return this.#credentials?.view() ?? { ...UNPROVISIONED, ...(this.#whyNone && { cause: this.#whyNone }) };
  }

  used(): void {
    this.#credentials?.used();
  }

  retryAfterS(): number {
    return this.#credentials?.retryAfterS() ?? UNPROVISIONED_RETRY_S;
  }

  subscribe(listener: (view: AuthinfoView) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  reject(rejection: Rejection): "renewing" | "limited" | "outdated" {
    return this.#credentials?.reject(rejection) ?? "outdated";
  }

  refresh(signal: AbortSignal): Promise<AuthinfoView> {
    if (this.#credentials) return this.#credentials.refresh(signal);
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
