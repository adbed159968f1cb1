import { X509Certificate } from "node:crypto";
import os from "node:os";
import { isDeepStrictEqual } from "node:util";
import type { ProbeReading, SdkDriver } from "../../drivers/sdk/driver.ts";
import type { DriverParts } from "../../drivers/sdk/open-driver.ts";
import { type Clock, orLate } from "../common/clock.ts";
import type { ClockSync } from "../common/clock-sync.ts";
import { AgentError, asAgentError, failureFields } from "../common/errors.ts";
import type { FileSystem } from "../common/files/file-system.ts";
import type { FileWatch } from "../common/files/file-watch.ts";
import type { Log } from "../common/log/log.ts";
import type { Random } from "../common/random.ts";
import { userAgent, version } from "../common/version.ts";
import type { Config } from "../config/config.ts";
import type { NamedFiles } from "../config/secrets/named-files.ts";
import { loadSecrets, type Secrets } from "../config/secrets/secrets.ts";
import { CredentialManager } from "../credential/credential-manager.ts";
import { attemptTimes } from "../credential/fetch-credential.ts";
import type { RetryState } from "../credential/retry-state.ts";
import type { State } from "../store/credential.ts";
import type { prepareDirectory } from "../store/directory.ts";
import type { DirectoryLock } from "../store/lock.ts";
import { identityDigest } from "../store/state-format.ts";
import { openStore } from "../store/store.ts";
import type { Store } from "../store/store-types.ts";
import type { WechatPayOptions } from "../wechatpay/client.ts";
import type { WechatPay } from "../wechatpay/wechatpay.ts";
import type { Interfaces } from "./link-watch.ts";
import { problemDetails } from "./problem-details.ts";

/** What a terminal takes from the system besides time and chance. What is left out is the real one. */
export interface TerminalSystem {
  /** Of the state directory. */
  readonly fileSystem?: FileSystem;
  readonly prepareDirectory?: typeof prepareDirectory;
  readonly openLine?: NonNullable<DriverParts["openLine"]>;
  readonly createTransport?: NonNullable<WechatPayOptions["createTransport"]>;
  readonly findPortal?: NonNullable<WechatPayOptions["findPortal"]>;
  readonly networkInterfaces?: () => Interfaces;
  /** Looks at a file with a secret, to see whether it has been renewed. */
  readonly look?: NonNullable<FileWatch["look"]>;
}

export interface TerminalParts {
  readonly config: Config;
  /** Absent when a file with one of them has been refused: then what is kept is served, and nothing is asked for. */
  readonly secrets?: Secrets;
  /** The configuration keys of the files that have been refused. */
  readonly refusedKeys: readonly string[];
  /** The files the secrets came from. */
  readonly named: NamedFiles;
  readonly lock: DirectoryLock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly clockSync: ClockSync;
  readonly random: Random;
  readonly log: Log;
  readonly system?: TerminalSystem;
  readonly onAttempt: (outcome: string) => void;
  /** The line has become ready, has been lost or leads to another bridge. */
  readonly onBridge: () => void;
  readonly onRequest: (baseUrl: string, outcome: string) => void;
}

/** How long the work under way may take to end once it has been asked to. */
const STOP_MS = 1_500;

/**
 * All that works with one configuration: store, credential manager, driver, WeChat Pay client. After `openTerminal` the kept authinfo
 * can be served; `start` then loads the heavy parts. A reload opens another terminal in its place.
 */
export class Terminal {
  readonly config: Config;
  readonly store: Store;
  readonly credentials: CredentialManager;
  readonly #parts: TerminalParts;
  readonly #stopping = new AbortController();
  #driver: SdkDriver | undefined;
  #wechatpay: WechatPay | undefined;
  #secrets: Secrets | undefined;
  #clientCertEndsMs: number | undefined;
  #renewalRefused: string | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: TerminalParts, store: Store, former?: TerminalMemory) {
    const { config, clock, clockSync, random, log, onAttempt } = parts;
    this.#parts = parts;
    this.#secrets = parts.secrets;
    this.#clientCertEndsMs = endOf(parts.secrets?.clientCert);
    this.config = config;
    this.store = store;
    this.credentials = new CredentialManager({
      identity: config.identity,
      refresh: config.refresh,
      times: attemptTimes(config),
      ...{ store, clockSync, clock, random, log, onAttempt },
      former: former?.retryState,
      keepsRetryAfter: former && isSameServer(former.config, config),
    });
  }

  /** What the next terminal of this process has to know. To be asked once it has stopped. */
  get memory(): TerminalMemory {
    return { config: this.config, state: this.store.state, retryState: this.credentials.retryState };
  }

  get bridge() {
    return this.#driver?.status();
  }

  get wechatpay() {
    return this.#wechatpay?.status();
  }

  /** End of the client certificate's validity, Unix ms; undefined without one. */
  get clientCertEndsMs(): number | undefined {
    return this.#clientCertEndsMs;
  }

  /** Why changed key or certificate files were not taken; the former ones are in use. */
  get renewalRefused(): string | undefined {
    return this.#renewalRefused;
  }

  /** Opens the line and begins to keep the authinfo. Resolves when both are under way. */
  async start(): Promise<void> {
    const { config, secrets, clock, random, log, system = {} } = this.#parts;
    const [{ openDriver }, { watchFiles }, { watchLink }, wechatpay] = await Promise.all([
      import("../../drivers/sdk/open-driver.ts"),
      import("../common/files/file-watch.ts"),
      import("./link-watch.ts"),
      this.#createWechatPay(),
    ]);
    if (this.#stopping.signal.aborted) return;
    const driver = openDriver(config.driver, {
      ...(secrets?.initPasswd === undefined ? {} : { initPasswd: secrets.initPasswd }),
      // The cashier app shows it to the SDK, perhaps before this agent was started.
      secrets: () => [this.credentials.view().credential?.authinfo ?? ""],
      ...(system.openLine ? { openLine: system.openLine } : {}),
      ...{ version, clock, random, log },
    });
    this.#driver = driver;
    driver.subscribe(() => this.#parts.onBridge());
    this.#wechatpay = wechatpay;
    // The SDK is initialised once, with its password or not at all.
    if (secrets !== undefined || config.driver.initPasswdFile === undefined) driver.start();
    const { signal } = this.#stopping;
    const requestAuthinfo: WechatPay["requestAuthinfo"] = (request, options) =>
      this.#wechatpay?.requestAuthinfo(request, options) ?? Promise.reject(this.#refusal());
    const barred = secrets === undefined ? { barred: this.#refusal() } : {};
    const kept = this.credentials.run({ driver, wechatpay: { requestAuthinfo }, ...barred }, signal);
    // Without secrets the whole configuration is taken up anew once they are good (agent/cli/run.ts).
    const renewable = secrets === undefined ? [] : [...this.#parts.named];
    const files = renewable.filter(([key]) => key.startsWith("wechatpay.")).map(([, file]) => file);
    const look = system.look ? { look: system.look } : {};
    const watched = watchFiles({ files, clock, signal, ...look, onChange: () => this.#renewSecrets() });
    const linked = watchLink({
      read: system.networkInterfaces ?? (() => os.networkInterfaces()),
      onChange: () => this.credentials.networkChanged(),
      ...{ clock, signal },
    });
    this.#running = Promise.all([kept, watched, linked]).then(() => undefined);
  }

  #refusal(): AgentError {
    return new AgentError("KEY_FILE.refused", { keys: this.#parts.refusedKeys });
  }

  async #createWechatPay(): Promise<WechatPay | undefined> {
    const secrets = this.#secrets;
    if (secrets === undefined) return undefined;
    const { config, clock, clockSync, random, log, onRequest, system = {} } = this.#parts;
    const { createWechatPay } = await import("../wechatpay/client.ts");
    return createWechatPay({
      config: config.wechatpay,
      identity: config.identity,
      secrets,
      // A clock that reads a time before one that has passed is to blame, not the certificate.
      clockSuspect: () => clockSync.status().behindMs !== undefined,
      onOutcome: ({ baseUrl, outcome }) => onRequest(baseUrl, outcome),
      ...(system.createTransport ? { createTransport: system.createTransport } : {}),
      ...(system.findPortal ? { findPortal: system.findPortal } : {}),
      ...{ userAgent, clock, random, log },
    });
  }

  /** Keys, certificates and tokens are renewed without a restart; files that do not fit leave the former ones in use. */
  async #renewSecrets(): Promise<void> {
    const { named, env, clock, log } = this.#parts;
    try {
      const { secrets, problems } = await loadSecrets(named, { env, wallMs: clock.wall() });
      if (secrets === undefined) {
        this.#renewalRefused = (await problemDetails(problems)).join("\n");
        log.error("SECRETS_REFUSED", { detail: this.#renewalRefused });
        return;
      }
      const former = this.#wechatpay;
      this.#secrets = secrets;
      this.#clientCertEndsMs = endOf(secrets.clientCert);
      this.#renewalRefused = undefined;
      this.#wechatpay = await this.#createWechatPay();
      log.info("SECRETS_RENEWED");
      this.credentials.secretsRenewed();
      await former?.close();
    } catch (error) {
      log.error("SECRETS_REFUSED", failureFields(asAgentError(error)));
    }
  }

  /** One vendor request of the cashier app. */
  call(request: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<unknown> {
    return this.#driver?.call(request, signal) ?? Promise.reject(notYet());
  }

  probe(signal: AbortSignal): Promise<ProbeReading> {
    return this.#driver?.probe(signal) ?? Promise.reject(notYet());
  }

  /** Ends the work, waits for a write under way, and closes what is open. */
  async stop(): Promise<void> {
    this.#stopping.abort(new AgentError("BRIDGE_CLOSED.stopping", {}));
    const ended = Promise.allSettled([this.#running, this.#driver?.close(), this.#wechatpay?.close()]);
    await orLate(ended, STOP_MS, this.#parts.clock);
    await this.store.close();
  }
}

/** A reload is no restart: nothing that this process knows may be lost in it. */
export interface TerminalMemory {
  readonly config: Config;
  readonly state: State;
  readonly retryState: RetryState;
}

/** A `Retry-After` binds towards the one who sent it: the same merchant at the same base URLs. */
function isSameServer(before: Config, now: Config): boolean {
  return (
    before.identity.spMchid === now.identity.spMchid &&
    isDeepStrictEqual(before.wechatpay.baseUrls, now.wechatpay.baseUrls)
  );
}

export async function openTerminal(parts: TerminalParts, former?: TerminalMemory): Promise<Terminal> {
  const { config, env, lock, clock, random, log, system = {} } = parts;
  const store = await openStore({
    directory: config.store.directory,
    ...(config.store.keyFile === undefined ? {} : { keyFile: config.store.keyFile }),
    ...(env.CREDENTIALS_DIRECTORY === undefined ? {} : { credentialsDirectory: env.CREDENTIALS_DIRECTORY }),
    identity: config.identity,
    ...(system.fileSystem ? { fileSystem: system.fileSystem } : {}),
    ...(system.prepareDirectory ? { prepare: system.prepareDirectory } : {}),
    ...{ lock, clock, random, log },
    ...(former ? { former: { identity: identityDigest(former.config.identity), state: former.state } } : {}),
  });
  return new Terminal(parts, store, former);
}

/** A parsed certificate is checked before it comes here (config/secrets/secrets.ts). */
function endOf(certificate: string | undefined): number | undefined {
  return certificate === undefined ? undefined : new X509Certificate(certificate).validToDate.getTime();
}

function notYet(): AgentError {
  return new AgentError("BRIDGE_NOT_READY.starting", {});
}
