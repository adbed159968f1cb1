import type { Clock } from "../common/clock.ts";
import { watchFiles } from "../common/files/file-watch.ts";
import type { PinoLog } from "../common/log/pino-log.ts";
import type { Problem } from "../config/problem.ts";
import type { Environment } from "../config/settings.ts";
import { renderProblem } from "../messages/problem-text.ts";
import type { Forwarder } from "../wechatpay/forward.ts";
import type { FileKey, GatewayConfig } from "./config.ts";
import type { InForce } from "./handler.ts";
import { type Loaded, loadGateway, readRegister } from "./load.ts";
import type { Register } from "./register.ts";
import { type GatewaySecrets, readSecrets } from "./secrets.ts";
import { readTrust, type Trust } from "./tls/trust.ts";
import type { Warnings } from "./warnings.ts";

/** Two looks at rest and the reading itself: who is struck off the register, or revoked, is refused within 5 s. */
const ACCESS_EVERY_MS = 1_000;
const TRUST_FILES: readonly FileKey[] = ["devices.ca_file", "devices.crl_file"];
const SOON_MS = 30 * 86_400_000;
const DATES_EVERY_MS = 60_000;
/** A list in the last part of its life should have been replaced. */
const LAST_PART = 0.25;

export interface RuntimeConfigDeps {
  readonly file: string;
  readonly env: Environment;
  readonly clock: Clock;
  readonly log: PinoLog;
  readonly warnings: Warnings;
  readonly createForwarder: (config: GatewayConfig, secrets: GatewaySecrets) => Forwarder;
  /** Other keys and certificates of the gateway's own are in force; `before` still has requests under way. */
  readonly onSecrets: (before: Forwarder) => void;
  readonly onTrust: () => void;
  readonly onRegister: (register: Register) => void;
}

/**
 * Configuration, keys, register and authorities with their lists in force, and their renewal. Files that belong together are read and taken as
 * one; what is refused changes nothing.
 */
export class RuntimeConfig {
  readonly #deps: RuntimeConfigDeps;
  #watching = new AbortController();
  #reloading: Promise<void> = Promise.resolve();
  #origins: Loaded["origins"];
  now: InForce;
  secrets: GatewaySecrets;
  terminalCa: string | undefined;
  registerLoadedMs: number;

  constructor({ config, secrets, trust, register, origins }: Loaded, deps: RuntimeConfigDeps) {
    this.#deps = deps;
    this.#origins = origins;
    this.secrets = secrets;
    const { authorities, revocations, terminalCa } = trust;
    this.terminalCa = terminalCa;
    this.now = { config, register, authorities, revocations, forwarder: deps.createForwarder(config, secrets) };
    this.registerLoadedMs = deps.clock.wall();
  }

  /** SIGHUP: the configuration and every file it names. */
  reload(): Promise<void> {
    return this.#exclusively(async () => {
      const { file, log } = this.#deps;
      const again = await loadGateway(file, this.#surroundings());
      if (again.kind !== "ok") {
        this.#warn("CONFIG_REFUSED", again.kind === "absent" ? `${file} is missing` : words(again.problems));
        return;
      }
      const { config, secrets, trust, register, origins } = again.loaded;
      const { listen, health } = this.now.config;
      const moved = !same(config.listen, listen) || !same(config.health, health);
      this.#warn("RESTART_NEEDED", moved ? "the new addresses count from a restart on" : undefined);
      for (const code of ["CONFIG_REFUSED", "SECRETS_REFUSED", "TRUST_REFUSED", "REGISTER_REFUSED"] as const)
        this.#warn(code, undefined);
      this.#origins = origins;
      log.setLevel(config.logLevel);
      this.#takeSecrets(config, secrets);
      this.#takeTrust(trust);
      this.#takeRegister(register);
      this.watch();
      log.info("GATEWAY_RELOADED", { devices: register.size });
    });
  }

  /** From now on the named files are looked after, until `stop`. */
  watch(): void {
    this.#watching.abort();
    this.#watching = new AbortController();
    const { signal } = this.#watching;
    const { clock, log } = this.#deps;
    const { files } = this.now.config;
    const named = (wanted: (key: FileKey) => boolean) =>
      [...files].filter(([key]) => wanted(key)).map(([, file]) => file);
    const isRegister = (key: FileKey) => key === "devices.register_file";
    const isTrust = (key: FileKey) => TRUST_FILES.includes(key);
    const sets = [
      { files: named(isRegister), everyMs: ACCESS_EVERY_MS, read: () => this.#readRegister() },
      { files: named(isTrust), everyMs: ACCESS_EVERY_MS, read: () => this.#readTrust() },
      { files: named((key) => !isRegister(key) && !isTrust(key)), read: () => this.#readSecrets() },
    ];
    for (const { read, ...set } of sets) {
      watchFiles({ ...set, clock, signal, onChange: () => this.#exclusively(read) }).catch((error: unknown) =>
        log.error("GATEWAY_INTERNAL", { error }),
      );
    }
    this.#judgeAgain(signal).catch((error: unknown) => log.error("GATEWAY_INTERNAL", { error }));
  }

  /** So that it is logged even where health and metrics are never read. */
  async #judgeAgain(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.judgeDates();
      // A rejection means the end, which the loop sees.
      await this.#deps.clock.sleep(DATES_EVERY_MS, signal).catch(() => undefined);
    }
  }

  async stop(): Promise<void> {
    this.#watching.abort();
    await this.#reloading;
  }

  /** What only time makes wrong. */
  judgeDates(): void {
    const wallMs = this.#deps.clock.wall();
    const { first } = this.now.revocations;
    if (first === undefined) {
      this.#warn("CRL_OUTDATED", undefined);
      this.#warn("CRL_EXPIRING", undefined);
    } else {
      const { thisUpdateMs, nextUpdateMs } = first;
      const left = (nextUpdateMs - wallMs) / (nextUpdateMs - thisUpdateMs);
      const list = `the revocation list by ${first.issuer} ends on ${new Date(nextUpdateMs).toISOString()}`;
      this.#warn("CRL_OUTDATED", left < 0 ? `${list}: certificates of this authority are refused` : undefined);
      this.#warn("CRL_EXPIRING", left >= 0 && left < LAST_PART ? list : undefined);
    }
    const { certificateEndsMs: ends } = this.secrets;
    const soon = ends - wallMs < SOON_MS;
    const words = `the server's certificate ends on ${new Date(ends).toISOString()}`;
    this.#warn("CERTIFICATE_EXPIRING", soon ? words : undefined);
  }

  async #readRegister(): Promise<void> {
    const { register, problems } = readRegister(this.now.config.files, this.#surroundings(), this.#origins);
    this.#warn("REGISTER_REFUSED", register === undefined ? words(problems) : undefined);
    if (register === undefined) return;
    this.#takeRegister(register);
    this.#deps.log.info("GATEWAY_REGISTER_TAKEN", { devices: register.size });
  }

  async #readTrust(): Promise<void> {
    const { trust, problems } = await readTrust(this.now.config.files, this.#surroundings(), this.#origins);
    this.#warn("TRUST_REFUSED", trust === undefined ? words(problems) : undefined);
    if (trust === undefined) return;
    this.#takeTrust(trust);
    this.#deps.log.info("GATEWAY_TRUST_TAKEN");
  }

  async #readSecrets(): Promise<void> {
    const { config } = this.now;
    const { secrets, problems } = readSecrets(config.files, this.#surroundings(), this.#origins);
    this.#warn("SECRETS_REFUSED", secrets === undefined ? words(problems) : undefined);
    if (secrets === undefined) return;
    this.#takeSecrets(config, secrets);
    this.#deps.log.info("GATEWAY_SECRETS_TAKEN");
  }

  #takeRegister(register: Register): void {
    this.now = { ...this.now, register };
    this.registerLoadedMs = this.#deps.clock.wall();
    this.#deps.onRegister(register);
  }

  #takeTrust({ terminalCa, authorities, revocations }: Trust): void {
    this.terminalCa = terminalCa;
    this.now = { ...this.now, authorities, revocations };
    this.judgeDates();
    this.#deps.onTrust();
  }

  #takeSecrets(config: GatewayConfig, secrets: GatewaySecrets): void {
    const before = this.now.forwarder;
    this.secrets = secrets;
    this.now = { ...this.now, config, forwarder: this.#deps.createForwarder(config, secrets) };
    this.judgeDates();
    this.#deps.onSecrets(before);
  }

  #warn(code: Parameters<Warnings["set"]>[0], detail: string | undefined): void {
    this.#deps.warnings.set(code, detail, this.#deps.clock.wall());
  }

  #surroundings() {
    return { env: this.#deps.env, wallMs: this.#deps.clock.wall() };
  }

  /** One renewal after the other. */
  #exclusively(act: () => Promise<void>): Promise<void> {
    this.#reloading = this.#reloading.then(act).catch((error: unknown) => {
      this.#deps.log.error("GATEWAY_INTERNAL", { error });
    });
    return this.#reloading;
  }
}

const words = (problems: readonly Problem[]) => problems.map((problem) => renderProblem(problem, "en")).join("\n");
const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
