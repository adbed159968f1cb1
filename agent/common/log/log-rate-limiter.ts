interface Account {
  tokens: number;
  at: number;
  leftOut: number;
}

const BURST = 20;
const ONE_EVERY_MS = 60_000;

/**
 * How often an event may be told: twenty times at once, then once a minute, counted for each code (specification 9: a day's
 * outage must not fill the journal, however wildly its cause changes). What is left out is counted and told with the next.
 */
export class LogRateLimiter {
  readonly #accounts = new Map<string, Account>();

  /** The number of events of this code left out before this one, or undefined when this one is left out too. */
  spend(code: string, bootMs: number): number | undefined {
    const account = this.#accounts.get(code) ?? { tokens: BURST, at: bootMs, leftOut: 0 };
    this.#accounts.set(code, account);
    account.tokens = Math.min(BURST, account.tokens + (bootMs - account.at) / ONE_EVERY_MS);
    account.at = bootMs;
    if (account.tokens < 1) {
      account.leftOut++;
      return undefined;
    }
    account.tokens--;
    const { leftOut } = account;
    account.leftOut = 0;
    return leftOut;
  }
}
