/** One realistic mistake in the agent's sources: `from`, which stands there once, becomes `to`. */
export interface Mutation {
  readonly what: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const CREDENTIAL = "agent/credential";

export const mutations: readonly Mutation[] = [
  {
    what: "an authinfo is served for five seconds after its end",
    file: `${CREDENTIAL}/held-credential.ts`,
    from: "if (life.remainingMs <= 0) {",
    to: "if (life.remainingMs <= -5_000) {",
  },
  {
    what: "one that has ended by an expires_in is handed out as stale",
    file: `${CREDENTIAL}/held-credential.ts`,
    from: 'held.credential.expirySource === "assumed" && -life.remainingMs',
    to: "-life.remainingMs",
  },
  {
    what: "a stale one is handed out unasked",
    file: "agent/api/authinfo-document.ts",
    from: 'isServed(state) || (staleOk && state === "stale")',
    to: 'isServed(state) || state === "stale"',
  },
  {
    what: "a reader gets none while a renewal is due",
    file: "agent/api/authinfo-document.ts",
    from: 'state === "fresh" || state === "due" || state === "rejected"',
    to: 'state === "fresh" || state === "rejected"',
  },
  {
    what: "within a boot the age counts by the wall clock",
    file: `${CREDENTIAL}/age.ts`,
    from: "return aged(now, byBoot, true);",
    to: "return aged(now, now.wall - credential.obtainedWallMs, true);",
  },
  {
    what: "an unconfirmed clock is believed after a reboot",
    file: `${CREDENTIAL}/age.ts`,
    from: "if (now.wallTrusted && sane && !sameBoot)",
    to: "if (sane && !sameBoot)",
  },
  {
    what: "any time that WeChat Pay shows confirms the clock",
    file: "agent/common/clock-sync.ts",
    from: "if (confirmedBy !== undefined || Math.abs(skewMs) > CONFIRMING_SKEW_MS) return;",
    to: "if (confirmedBy !== undefined) return;",
  },
  {
    what: "a failed renewal for a reason that only a person can fix drops what is held",
    file: `${CREDENTIAL}/refresh-loop.ts`,
    from: "    this.#clockFault = rule.clock === true ? now : undefined;",
    to: '    if (rule.retry === "slow") this.#current.drop();\n    this.#clockFault = rule.clock === true ? now : undefined;',
  },
  {
    what: "the signature is not looked at",
    file: "agent/wechatpay/signature.ts",
    from: 'if (!genuine) throw new AgentError("PAY_SIGNATURE_INVALID", {});',
    to: "",
  },
  {
    what: "a signed answer may be of any age",
    file: "agent/wechatpay/signature.ts",
    from: "const TIMESTAMP_WINDOW_S = 300;",
    to: "const TIMESTAMP_WINDOW_S = 300_000;",
  },
  {
    what: "a replayed answer is believed while it is young",
    file: "agent/wechatpay/signature.ts",
    from: 'if (genuine && repeated) throw new AgentError("PAY_SIGNATURE_REPLAYED", {});',
    to: "",
  },
  {
    what: "the key is taken whatever the serial says",
    file: "agent/wechatpay/signature.ts",
    from: "answer.publicKeys.get(serial)",
    to: "[...answer.publicKeys.values()][0]",
  },
  {
    what: "a bad signature leads to the backup with the same raw_data",
    file: "agent/common/failures.ts",
    from: 'PAY_SIGNATURE_INVALID: { retry: "backoff", remedy',
    to: 'PAY_SIGNATURE_INVALID: { retry: "backoff", failover: true, remedy',
  },
  {
    what: "a single base URL is its own backup",
    file: "agent/wechatpay/base-urls.ts",
    from: "return this.#entries.length > 1 ? this.#after(index) : undefined;",
    to: "return this.#after(index);",
  },
  {
    what: "a raw_data is used again after a failure",
    file: `${CREDENTIAL}/fetch-credential.ts`,
    from: "const { rawData, identity } = await sources.driver.getRawData(over.signal);",
    to: "const read = sources as { kept?: Awaited<ReturnType<typeof sources.driver.getRawData>> };\n    read.kept ??= await sources.driver.getRawData(over.signal);\n    const { rawData, identity } = read.kept;",
  },
  {
    what: "a refused merchant asks again after a minute",
    file: `${CREDENTIAL}/refresh-policy.ts`,
    from: "const SLOW_MS = 5 * 60_000;",
    to: "const SLOW_MS = 60_000;",
  },
  {
    what: "a 401 is retried like any failure",
    file: "agent/common/failures.ts",
    from: 'PAY_UNAUTHORIZED: { retry: "slow"',
    to: 'PAY_UNAUTHORIZED: { retry: "backoff"',
  },
  {
    what: "attempts follow each other at once",
    file: `${CREDENTIAL}/refresh-policy.ts`,
    from: "const MIN_GAP_MS = 1_000;",
    to: "const MIN_GAP_MS = 0;",
  },
  {
    what: "the back-off does not grow",
    file: `${CREDENTIAL}/refresh-policy.ts`,
    from: "const bound = 1_000 * 2 ** Math.min(failures, 30);",
    to: "const bound = 1_000;",
  },
  {
    what: "the back-off grows to twenty minutes",
    file: `${CREDENTIAL}/refresh-policy.ts`,
    from: "const CAP_MS = 120_000;",
    to: "const CAP_MS = 1_200_000;",
  },
  {
    what: "after twenty failures nothing is tried any more",
    file: `${CREDENTIAL}/refresh-policy.ts`,
    from: "if (situation.failures > 0) return { atBootMs: situation.retryAtBootMs",
    to: "if (situation.failures > 0) return { atBootMs: situation.failures > 20 ? Infinity : situation.retryAtBootMs",
  },
  {
    what: "Retry-After is not kept",
    file: `${CREDENTIAL}/refresh-policy.ts`,
    from: "return failure.retryAfterS === undefined ? 0 : failure.retryAfterS * 1_000 * (1 + chance / 10);",
    to: "return 0 * chance * Number(failure.retryAfterS === undefined);",
  },
  {
    what: "a Retry-After is forgotten at a reload",
    file: `${CREDENTIAL}/retry-state.ts`,
    from: "if (keepsRetryAfter) this.#heldOffUntil",
    to: "if (!keepsRetryAfter) this.#heldOffUntil",
  },
  {
    what: "the next renewal comes after the end",
    file: `${CREDENTIAL}/refresh-policy.ts`,
    from: "return lifetimeMs * fraction * (0.5 + chance / 2);",
    to: "return lifetimeMs * (1 + (fraction * chance) / 100);",
  },
  {
    what: "renewals out of turn have no limit",
    file: `${CREDENTIAL}/rate-limiter.ts`,
    from: "const MOST = 12;",
    to: "const MOST = 1_000;",
  },
  {
    what: "rejections may use the whole allowance",
    file: `${CREDENTIAL}/rate-limiter.ts`,
    from: "rejection: 6,",
    to: "rejection: MOST,",
  },
  {
    what: "a request during an attempt outlives its success",
    file: `${CREDENTIAL}/retry-state.ts`,
    from: "than what the request was about.\n    this.#requests.clear();",
    to: "than what the request was about.",
  },
  {
    what: "a rejection starts no renewal",
    file: `${CREDENTIAL}/credential-manager.ts`,
    from: '    this.#refreshLoop.request("rejection");\n    this.#announce();',
    to: "    this.#announce();",
  },
  {
    what: "a rejected authinfo is shown as any other",
    file: `${CREDENTIAL}/held-credential.ts`,
    from: 'if (held.rejected) return "rejected";',
    to: "",
  },
  {
    what: "another device's authinfo stays in service",
    file: `${CREDENTIAL}/refresh-policy.ts`,
    from: 'if (differs(deviceId, held?.deviceId)) return { drop: true, renew: "device" };',
    to: 'if (differs(deviceId, held?.deviceId)) return { drop: false, renew: "device" };',
  },
  {
    what: "the generation begins anew with a device",
    file: `${CREDENTIAL}/held-credential.ts`,
    from: "terms.generation + 1",
    to: "(held?.credential.generation ?? 0) + 1",
  },
  {
    what: "the generation is not written down",
    file: `${CREDENTIAL}/current-credential.ts`,
    from: "generation: Math.max(before.generation, credential.generation),",
    to: "generation: before.generation,",
  },
  {
    what: "what is recovered keeps the number of what was lost",
    file: "agent/store/recover.ts",
    from: "highest + (highest > generationOf(source) ? 1 : LEAP);",
    to: "highest;",
  },
  {
    what: "the content of the state is not synced",
    file: "agent/common/files/file-system.ts",
    from: "    await handle.sync();\n    await handle.close();\n  } catch",
    to: "    await handle.close();\n  } catch",
  },
  {
    what: "the name of the state is not synced",
    file: "agent/store/sealed-file.ts",
    from: "      this.#keepable = true;\n      await syncDirectory(fileSystem, directory);",
    to: "      this.#keepable = true;",
  },
  {
    what: "a write that failed is announced as persisted",
    file: `${CREDENTIAL}/current-credential.ts`,
    from: "(await orLate(this.#write(state), WRITE_PATIENCE_MS, clock)) === true;",
    to: "(await orLate(this.#write(state), WRITE_PATIENCE_MS, clock)) !== undefined;",
  },
  {
    what: "a hanging disk holds the authinfo back for a minute",
    file: `${CREDENTIAL}/current-credential.ts`,
    from: "const WRITE_PATIENCE_MS = 2_000;",
    to: "const WRITE_PATIENCE_MS = 60_000;",
  },
  {
    what: "a reload forgets what the disk has refused",
    file: "agent/runtime/service.ts",
    from: "await this.provide(next, lock, former);",
    to: "await this.provide(next, lock);",
  },
  {
    what: "a server's words are logged as they come",
    file: "agent/wechatpay/failure-classes.ts",
    from: "sanitizeUntrusted(message, 200, secrets)",
    to: "sanitizeUntrusted(message, 200)",
  },
  {
    what: "a bridge's words are logged as they come",
    file: "drivers/sdk/rules.ts",
    from: "sanitizeUntrusted(text, longest, new SecretSearch(heard))",
    to: "sanitizeUntrusted(text, longest)",
  },
  {
    what: "a rawdata is asked for without a hello",
    file: "drivers/sdk/session.ts",
    from: "const identity = await this.#hello();\n      const helloMs",
    to: "const identity = this.#shown ?? (await this.#hello());\n      const helloMs",
  },
  {
    what: "a line that was lost is opened again after hours",
    file: "drivers/sdk/rules.ts",
    from: "unit * Math.min(10_000, 500 * 2 ** Math.min(failures, 16))",
    to: "unit * 10_000_000",
  },
  {
    what: "a frame that is no JSON ends the process",
    file: "drivers/line/jsonrpc.ts",
    from: 'return { kind: "not_json" };',
    to: "throw new SyntaxError();",
  },
];
