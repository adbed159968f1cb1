import { randomUUID } from "node:crypto";
import path from "node:path";
import { createCashierServer } from "../api/cashier-api.ts";
import { openSocket } from "../api/sockets.ts";
import { supportCodeOf } from "../api/support-code.ts";
import type { Clock } from "../common/clock.ts";
import { silentLog } from "../common/log/log.ts";
import type { AuthinfoState, AuthinfoView, CredentialService, Rejection } from "../credential/credential-types.ts";
import { playgroundIdentity } from "../simulator/playground.ts";

export const simulatedStates = ["fresh", "due", "expired", "stale", "rejected", "absent", "unprovisioned"] as const;
export type SimulatedState = (typeof simulatedStates)[number];

export const isSimulatedState = (text: string): text is SimulatedState =>
  (simulatedStates as readonly string[]).includes(text);

const LIFETIME_MS = 3_600_000;
/** How old the authinfo is in each state. */
const AGE_MS: Readonly<Record<Exclude<SimulatedState, "absent" | "unprovisioned">, number>> = {
  fresh: 60_000,
  due: 2_400_000,
  rejected: 60_000,
  expired: LIFETIME_MS + 60_000,
  stale: LIFETIME_MS + 60_000,
};
/** After a rejection, until its successor is there. */
const RENEWAL_MS = 3_000;

/**
 * A credential service that stays in one state, for whoever writes the screens of a cashier app (specification 1). Time passes and a
 * rejection is answered by a new generation, as with the agent; nothing is renewed otherwise.
 */
export class SimulatedCredentials implements CredentialService {
  readonly #clock: Clock;
  readonly #startedBootMs: number;
  readonly #startedWallMs: number;
  readonly #listeners = new Set<(view: AuthinfoView) => void>();
  #state: SimulatedState;
  #generation = 1;
  #authinfo = `SIMULATED-${randomUUID()}`;

  constructor(state: SimulatedState, clock: Clock) {
    this.#state = state;
    this.#clock = clock;
    this.#startedBootMs = clock.boot();
    this.#startedWallMs = clock.wall();
  }

  view(): AuthinfoView {
    const without = { remainingMs: 0, clockTrusted: true, persisted: false };
    if (this.#state === "absent" || this.#state === "unprovisioned") return { state: this.#state, ...without };
    const ageMs = AGE_MS[this.#state] + this.#clock.boot() - this.#startedBootMs;
    const remainingMs = LIFETIME_MS - ageMs;
    const obtainedWallMs = this.#startedWallMs - AGE_MS[this.#state];
    const failing = this.#state === "due" || this.#state === "expired" || this.#state === "stale" || remainingMs <= 0;
    const state: AuthinfoState = remainingMs > 0 || this.#state === "stale" ? this.#state : "expired";
    return {
      state,
      credential: {
        authinfo: this.#authinfo,
        generation: this.#generation,
        deviceId: playgroundIdentity.deviceId,
        bootId: "simulated",
        obtainedBootMs: this.#startedBootMs - AGE_MS[this.#state],
        obtainedWallMs,
        skewMs: 0,
        lifetimeMs: LIFETIME_MS,
        expirySource: state === "stale" ? "assumed" : "response",
        refreshAfterMs: LIFETIME_MS / 2,
      },
      remainingMs,
      clockTrusted: true,
      persisted: true,
      ...(failing
        ? { cause: { code: "PAY_CONNECT_REFUSED", sinceWallMs: obtainedWallMs + LIFETIME_MS / 2, params: {} } }
        : {}),
    };
  }

  /** Nothing is learned here. */
  used(): void {}

  retryAfterS(): number {
    return 5;
  }

  subscribe(listener: (view: AuthinfoView) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  reject({ generation }: Rejection): "renewing" | "outdated" {
    const { credential } = this.view();
    if (credential?.generation !== generation) return "outdated";
    this.#become("rejected");
    this.#clock.timer(RENEWAL_MS, () => {
      if (this.#generation !== generation) return;
      this.#generation++;
      this.#authinfo = `SIMULATED-${randomUUID()}`;
      this.#become("fresh");
    });
    return "renewing";
  }

  /** Only the admin socket asks for it, and there is none here. */
  refresh(): Promise<AuthinfoView> {
    return Promise.resolve(this.view());
  }

  #become(state: SimulatedState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener(this.view());
  }
}

/** Serves the cashier app's socket in one state until the signal falls. Resolves to the socket's path before that, by `ready`. */
export async function serveSimulatedState(options: {
  readonly state: SimulatedState;
  readonly directory: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly ready: (socket: string) => void;
}): Promise<void> {
  const { state, clock, signal } = options;
  const credentials = new SimulatedCredentials(state, clock);
  const server = createCashierServer({
    credentials,
    identity: () => (state === "unprovisioned" ? undefined : playgroundIdentity),
    driver: () => undefined,
    live: () => true,
    supportCode: () => supportCodeOf(credentials.view(), playgroundIdentity.deviceId, clock.wall()),
    served: () => {},
    denied: () => {},
    clock,
    log: silentLog,
  });
  const socket = path.join(options.directory, "api.sock");
  const open = await openSocket(server, { path: socket, mode: 0o600 });
  try {
    options.ready(socket);
    await clock.sleep(Number.POSITIVE_INFINITY, signal).catch(() => undefined);
  } finally {
    await open.close();
  }
}
