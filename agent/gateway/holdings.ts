import type { Clock } from "../clock.ts";
import { type Problem, renderProblem } from "../config/problem.ts";
import type { Environment } from "../config/settings.ts";
import { watchFiles } from "../files/file-watch.ts";
import type { PinoLog } from "../log/pino-log.ts";
import type { Forwarder } from "../wechatpay/forward.ts";
import type { FileKey, GatewayConfig } from "./config.ts";
import type { InForce } from "./handler.ts";
import { type Loaded, loadGateway, readAccess } from "./load.ts";
import { authoritiesOf, type GatewaySecrets, readSecrets } from "./secrets.ts";
import type { Warnings } from "./warnings.ts";

/** Two looks at rest and the reading itself: who is struck off the register is refused within 5 s. */
const ACCESS_EVERY_MS = 1_000;
const ACCESS_FILES: readonly FileKey[] = ["devices.register_file", "devices.crl_file"];
const SOON_MS = 30 * 86_400_000;

export interface HoldingsDeps {
  readonly file: string;
  readonly env: Environment;
  readonly clock: Clock;
  readonly log: PinoLog;
  readonly warnings: Warnings;
  readonly createForwarder: (config: GatewayConfig, secrets: GatewaySecrets) => Forwarder;
  /** Other keys and certificates are in force; `before` still has requests under way. */
  readonly onSecrets: (secrets: GatewaySecrets, before: Forwarder) => void;
  readonly onRegister: (register: Loaded["rules"]["register"]) => void;
}

/** Configuration, keys, register and revocations in force, and their renewal. What is refused changes nothing. */
export class Holdings {
  readonly #deps: HoldingsDeps;
  #watching = new AbortController();
  #reloading: Promise<void> = Promise.resolve();
  #origins: Loaded["origins"];
  now: InForce;
  secrets: GatewaySecrets;
  registerLoadedMs: number;

  constructor({ config, secrets, authorities, rules, origins }: Loaded, deps: HoldingsDeps) {
    this.#deps = deps;
    this.#origins = origins;
    this.secrets = secrets;
    this.now = { config, authorities, ...rules, forwarder: deps.createForwarder(config, secrets) };
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
      const { config, secrets, authorities, rules, origins } = again.loaded;
      const { listen, health } = this.now.config;
      const moved = !same(config.listen, listen) || !same(config.health, health);
      this.#warn("RESTART_NEEDED", moved ? "the new addresses count from a restart on" : undefined);
      for (const code of ["CONFIG_REFUSED", "SECRETS_REFUSED", "REGISTER_REFUSED"] as const)
        this.#warn(code, undefined);
      this.#origins = origins;
      log.setLevel(config.logLevel);
      this.#takeSecrets(config, secrets, authorities);
      this.#takeAccess(rules);
      this.watch();
      log.info("GATEWAY_RELOADED", { devices: rules.register.size });
    });
  }

  /** From now on the named files are looked after, until `stop`. */
  watch(): void {
    this.#watching.abort();
    this.#watching = new AbortController();
    const { signal } = this.#watching;
    const { clock, log } = this.#deps;
    const { files } = this.now.config;
    const named = (access: boolean) =>
      [...files].filter(([key]) => ACCESS_FILES.includes(key) === access).map(([, file]) => file);
    const onAccess = () => this.#exclusively(() => this.#readAccess());
    const onSecrets = () => this.#exclusively(() => this.#readSecrets());
    const trouble = (error: unknown) => log.error("GATEWAY_INTERNAL", { error });
    watchFiles({ files: named(true), clock, signal, everyMs: ACCESS_EVERY_MS, onChange: onAccess }).catch(trouble);
    watchFiles({ files: named(false), clock, signal, onChange: onSecrets }).catch(trouble);
  }

  async stop(): Promise<void> {
    this.#watching.abort();
    await this.#reloading;
  }

  /** What only time makes wrong. */
  judgeDates(): void {
    const wallMs = this.#deps.clock.wall();
    const { nextUpdateMs = Number.POSITIVE_INFINITY } = this.now.revocations;
    const due = nextUpdateMs < wallMs ? `a newer list was due on ${new Date(nextUpdateMs).toISOString()}` : undefined;
    this.#warn("CRL_OUTDATED", due);
    const { certificateEndsMs: ends } = this.secrets;
    const soon = ends - wallMs < SOON_MS;
    const words = `the server's certificate ends on ${new Date(ends).toISOString()}`;
    this.#warn("CERTIFICATE_EXPIRING", soon ? words : undefined);
  }

  async #readAccess(): Promise<void> {
    const { config, authorities } = this.now;
    const { rules, problems } = await readAccess(config.files, authorities, this.#surroundings(), this.#origins);
    this.#warn("REGISTER_REFUSED", rules === undefined ? words(problems) : undefined);
    if (rules === undefined) return;
    this.#takeAccess(rules);
    this.#deps.log.info("GATEWAY_REGISTER_TAKEN", { devices: rules.register.size });
  }

  async #readSecrets(): Promise<void> {
    const { config } = this.now;
    const { secrets, problems } = readSecrets(config.files, this.#surroundings(), this.#origins);
    this.#warn("SECRETS_REFUSED", secrets === undefined ? words(problems) : undefined);
    if (secrets === undefined) return;
    this.#takeSecrets(config, secrets, authoritiesOf(secrets.terminalCa ?? "") ?? []);
    this.#deps.log.info("GATEWAY_SECRETS_TAKEN");
    // Another authority may have made another list.
    await this.#readAccess();
  }

  #takeAccess(rules: Loaded["rules"]): void {
    this.now = { ...this.now, ...rules };
    this.registerLoadedMs = this.#deps.clock.wall();
    this.#deps.onRegister(rules.register);
    this.judgeDates();
  }

  #takeSecrets(config: GatewayConfig, secrets: GatewaySecrets, authorities: Loaded["authorities"]): void {
    const before = this.now.forwarder;
    this.secrets = secrets;
    this.now = { ...this.now, config, authorities, forwarder: this.#deps.createForwarder(config, secrets) };
    this.judgeDates();
    this.#deps.onSecrets(secrets, before);
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
