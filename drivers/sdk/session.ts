import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../agent/common/clock.ts";
import { AgentError } from "../../agent/common/errors.ts";
import { SeenSecrets } from "../../agent/common/log/sanitize-untrusted.ts";
import type { DriverConfig } from "../../agent/config/config.ts";
import { CallQueue, type Requester } from "./call-queue.ts";
import type { BridgeIdentity, DriverEvent, ProbeReading } from "./driver.ts";
import type { Link } from "./link.ts";
import {
  checkRawData,
  classifyResponse,
  identityChanges,
  PROTOCOL,
  parseHello,
  type SdkResponse,
  shownIdentity,
} from "./rules.ts";

export interface SessionParts {
  readonly config: DriverConfig;
  readonly initPasswd?: string;
  /** Further secrets that the bridge may know. */
  readonly secrets?: () => readonly string[];
  readonly version: string;
  readonly clock: Clock;
  /** Called whenever `usable` may have changed. */
  readonly onState: () => void;
  readonly onChanged: (event: DriverEvent & { type: "changed" }) => void;
}

/** What a full reading brings; `rawData` is a secret. */
export interface FullReading extends ProbeReading {
  readonly rawData: string;
}

const INITIALISING_WAIT_MS = 500;

/** The calls upon the SDK, and what is known of it. Outlives a line: the SDK stays initialised when a cable is replugged. */
export class SdkSession {
  readonly #parts: SessionParts;
  readonly #queue = new CallQueue();
  #link: Link | undefined;
  /** Word for word, to see a change by. */
  #identity: BridgeIdentity | undefined;
  /** The same, as it may be shown. */
  #shown: BridgeIdentity | undefined;
  #greeted = false;
  /** The bridge session whose SDK has been initialised. */
  #initialisedIn: string | undefined;
  /** The cashier app let the SDK go: init waits until a rawdata is wanted, so as not to take the camera back at once. */
  #released = false;
  readonly #seen: SeenSecrets;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#seen = new SeenSecrets(() => [parts.initPasswd, ...(parts.secrets?.() ?? [])]);
  }

  get identity(): BridgeIdentity | undefined {
    return this.#shown;
  }

  /** The last hello on the present line was understood. */
  get greeted(): boolean {
    return this.#link !== undefined && this.#greeted;
  }

  /** A rawdata can be asked for. */
  get usable(): boolean {
    return this.greeted && (this.#initialised || this.#released);
  }

  get #initialised(): boolean {
    return this.#identity !== undefined && this.#initialisedIn === this.#identity.session;
  }

  attach(link: Link): void {
    this.#link = link;
    this.#greeted = false;
    this.#parts.onState();
  }

  detach(reason: unknown): void {
    this.#link = undefined;
    this.#queue.clear(reason);
    this.#parts.onState();
  }

  /** Asks the bridge who it is. */
  async hello(signal: AbortSignal): Promise<void> {
    await this.#queue.run("agent", async () => void (await this.#hello()), signal);
  }

  /** Initialises the SDK unless it is. Callers may come between its tries: their own init may be what the SDK waits for. */
  async initialise(signal: AbortSignal): Promise<void> {
    const { clock, config } = this.#parts;
    const until = clock.boot() + config.initTimeoutMs;
    for (;;) {
      const init = async () => (this.#initialised ? undefined : await this.#callInit());
      const verdict = await this.#queue.run("agent", init, signal);
      if (verdict === undefined || verdict.kind === "success") return;
      if (verdict.kind !== "initialising" || clock.boot() + INITIALISING_WAIT_MS >= until) throw verdict.error;
      await clock.sleep(INITIALISING_WAIT_MS, signal);
    }
  }

  /** hello, init where it is missing, getWxpayfaceRawdata: one turn on the line, which no other call interrupts. */
  async read(requester: Requester, signal: AbortSignal): Promise<FullReading> {
    return await this.#queue.run(requester, () => this.#read(signal), signal);
  }

  /** One request of the cashier app, unchanged. */
  async pass(request: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<unknown> {
    const { config } = this.#parts;
    const timeoutMs = request.cmd === "initWxpayface" ? config.initTimeoutMs : config.callTimeoutMs;
    return await this.#queue.run(
      "caller",
      async () => {
        // Released from now on, even if the answer is lost.
        if (request.cmd === "releaseWxpayface") this.#setReleased();
        // Before it is known whether the answer ever comes: the bridge has it from here on.
        this.#seen.add(request.authinfo);
        const answer = await this.#call("call", request, timeoutMs, true);
        const verdict = classifyResponse(answer, true);
        this.#learn(request.cmd, verdict.kind);
        if (verdict.kind === "success") this.#seen.add(verdict.answer.rawdata);
        return answer;
      },
      signal,
    );
  }

  async #read(signal: AbortSignal): Promise<FullReading> {
    const { clock, config } = this.#parts;
    const initUntil = clock.boot() + config.initTimeoutMs;
    let greetAgain = true;
    for (let refusals = 0; ; ) {
      signal.throwIfAborted();
      const startedAt = clock.boot();
      const identity = await this.#hello();
      const helloMs = clock.boot() - startedAt;
      signal.throwIfAborted();
      const init = this.#initialised ? undefined : await this.#callInit();
      signal.throwIfAborted();
      if (init?.kind === "success" && greetAgain) {
        // An init takes seconds. Once only: a bridge may name another session at every hello.
        greetAgain = false;
        continue;
      }
      const askedAt = clock.boot();
      const verdict = init === undefined || init.kind === "success" ? await this.#askRawData() : init;
      if (verdict.kind === "success") {
        const rawData = checkRawData(verdict.answer);
        this.#seen.add(rawData);
        return { identity, rawData, rawDataLength: rawData.length, helloMs, rawDataMs: clock.boot() - askedAt };
      }
      if (verdict.kind === "failed") throw verdict.error;
      this.#forgetInit();
      const again =
        verdict.kind === "initialising" ? clock.boot() + INITIALISING_WAIT_MS < initUntil : refusals++ === 0;
      if (!again) throw verdict.error;
      if (verdict.kind === "initialising") await clock.sleep(INITIALISING_WAIT_MS, signal);
    }
  }

  async #askRawData(): Promise<SdkResponse> {
    const params = { cmd: "getWxpayfaceRawdata", version: "1", now: this.#now() };
    return classifyResponse(await this.#call("call", params, this.#parts.config.callTimeoutMs), false, this.#seen.all);
  }

  async #hello(): Promise<BridgeIdentity> {
    const params = { protocol: PROTOCOL, agent: `facepay-agent/${this.#parts.version}` };
    const result = await this.#call("hello", params, this.#parts.config.callTimeoutMs);
    const before = this.#identity;
    let said: BridgeIdentity;
    try {
      said = parseHello(result, this.#seen.all);
    } catch (error) {
      this.#greeted = false;
      this.#parts.onState();
      throw error;
    }
    // A hello comes every 30 s: the same words are searched once, before there was anything new to repeat.
    const identity =
      this.#shown !== undefined && isDeepStrictEqual(said, before) ? this.#shown : shownIdentity(said, this.#seen.all);
    this.#identity = said;
    this.#shown = identity;
    this.#greeted = true;
    const what = before ? identityChanges(before, said) : [];
    if (what.includes("session")) this.#released = false;
    if (what.length > 0) this.#parts.onChanged({ type: "changed", identity, what });
    this.#parts.onState();
    return identity;
  }

  async #callInit(): Promise<SdkResponse> {
    const { config, initPasswd } = this.#parts;
    const fixed = { cmd: "initWxpayface", version: "1", now: this.#now() };
    // Last again, so that no extra parameter can turn this into another call.
    const params = { ...fixed, ...config.init, ...(initPasswd !== undefined && { passwd: initPasswd }), ...fixed };
    const secret = initPasswd !== undefined;
    const verdict = classifyResponse(
      await this.#call("call", params, config.initTimeoutMs, secret),
      secret,
      this.#seen.all,
    );
    this.#learn("initWxpayface", verdict.kind);
    return verdict;
  }

  /** Only work of the queue calls this, so that one call at a time is on the line. */
  async #call(method: string, params: Readonly<Record<string, unknown>>, timeoutMs: number, secret = false) {
    return await this.#linkNow().request(method, params, { timeoutMs, secret, heard: this.#seen.all });
  }

  #linkNow(): Link {
    if (!this.#link) throw new AgentError("BRIDGE_NOT_READY.not_open", {});
    return this.#link;
  }

  #learn(cmd: unknown, outcome: SdkResponse["kind"]): void {
    if (cmd === "initWxpayface" && outcome === "success") {
      this.#initialisedIn = this.#identity?.session;
      this.#released = false;
      this.#parts.onState();
    } else if (outcome === "not_initialised") {
      this.#forgetInit();
    }
  }

  #forgetInit(): void {
    this.#initialisedIn = undefined;
    this.#parts.onState();
  }

  #setReleased(): void {
    this.#released = true;
    this.#forgetInit();
  }

  #now(): number {
    return Math.floor(this.#parts.clock.wall() / 1000);
  }
}
