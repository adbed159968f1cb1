import { type Clock, unlessAborted } from "../../agent/common/clock.ts";
import { AgentError, asAgentError } from "../../agent/common/errors.ts";
import type { Log } from "../../agent/common/log/log.ts";
import type { Random } from "../../agent/common/random.ts";
import type { DriverConfig } from "../../agent/config/config.ts";
import type { OpenStream } from "../line/open-stream.ts";
import type { Requester } from "./call-queue.ts";
import type { BridgeIdentity, DriverEvent, DriverStatus, ProbeReading, RawDataReading, SdkDriver } from "./driver.ts";
import { explainSilence, LineEar } from "./line-facts.ts";
import { Link, newLinkCounters } from "./link.ts";
import { ReconnectBackoff } from "./reconnect-backoff.ts";
import { nextAction } from "./rules.ts";
import { type FullReading, SdkSession } from "./session.ts";

export interface SdkDriverParts {
  readonly config: DriverConfig;
  /** The password of initWxpayface, from its file. A secret. */
  readonly initPasswd?: string;
  /** Further secrets that the bridge may know: nothing it says may repeat them. */
  readonly secrets?: () => readonly string[];
  /** The agent's version, for `hello`. */
  readonly version: string;
  readonly open: OpenStream;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** The face SDK behind any stream. Opens the line, greets, initialises once per session, starts over when the line is lost. */
export function createSdkDriver(parts: SdkDriverParts): SdkDriver {
  return new StreamDriver(parts);
}

class StreamDriver implements SdkDriver {
  readonly #parts: SdkDriverParts;
  readonly #session: SdkSession;
  readonly #end = new AbortController();
  readonly #listeners = new Set<(event: DriverEvent) => void>();
  readonly #waiters = new Set<PromiseWithResolvers<BridgeIdentity>>();
  readonly #opens: Record<string, number> = {};
  readonly #counters = newLinkCounters();
  readonly #ear = new LineEar();
  readonly #reconnectBackoff = new ReconnectBackoff();
  #running: Promise<void> | undefined;
  #nextId: number;
  #path: string;
  #link: Link | undefined;
  #ready = false;
  #retryAt = 0;
  #nap = new AbortController();

  constructor(parts: SdkDriverParts) {
    this.#parts = parts;
    // Random, so that answers meant for an agent before this one fit no call.
    this.#nextId = parts.random.bytes(4).readUInt32BE();
    const { path, match, type } = parts.config;
    this.#path = path ?? (match ? `usb ${match.vendorId}:${match.productId}` : type);
    this.#session = new SdkSession({
      ...parts,
      onState: () => this.#review(),
      onChanged: (event) => {
        parts.log.info("BRIDGE_CHANGED", { what: event.what });
        this.#emit(event);
      },
    });
  }

  start(): void {
    if (!this.#end.signal.aborted) this.#running ??= this.#run();
  }

  async whenReady(signal: AbortSignal): Promise<BridgeIdentity> {
    this.#end.signal.throwIfAborted();
    const { identity } = this.#session;
    if (this.#ready && identity) return identity;
    const waiter = Promise.withResolvers<BridgeIdentity>();
    this.#waiters.add(waiter);
    try {
      return await unlessAborted(waiter.promise, signal);
    } finally {
      this.#waiters.delete(waiter);
    }
  }

  async getRawData(signal: AbortSignal): Promise<RawDataReading> {
    const { rawData, identity } = await this.#read("agent", signal);
    return { rawData, identity };
  }

  async probe(signal: AbortSignal): Promise<ProbeReading> {
    const { identity, helloMs, rawDataMs, rawDataLength } = await this.#read("caller", signal);
    return { identity, helloMs, rawDataMs, rawDataLength };
  }

  async call(request: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<unknown> {
    // Not only when ready: the cashier app's own init may be what the SDK is waiting for.
    if (!this.#session.greeted) throw this.#notReady();
    return await this.#session.pass(request, signal);
  }

  status(): DriverStatus {
    const { identity } = this.#session;
    const { problem: told } = this.#reconnectBackoff;
    const { facts: heard } = this.#ear;
    // Looked at anew each time: what has come in since the failure may say what it is.
    const problem = told && explainSilence(told, heard);
    const unended = this.#ready ? 0 : (this.#link?.unended ?? 0);
    const line = this.#ready ? "ready" : this.#link ? "handshake" : "opening";
    return {
      state: this.#end.signal.aborted ? "closed" : line,
      type: this.#parts.config.type,
      path: this.#path,
      ...(identity && { identity }),
      ...(problem && { problem: { code: problem.code, params: problem.params } }),
      opens: { ...this.#opens },
      frames: { ...this.#counters, dropped_octets: this.#counters.dropped_octets + unended },
      heard,
      consecutiveTimeouts: this.#link?.consecutiveTimeouts ?? 0,
    };
  }

  subscribe(listener: (event: DriverEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    const reason = new AgentError("BRIDGE_CLOSED", {});
    this.#end.abort(reason);
    for (const waiter of this.#waiters) waiter.reject(reason);
    await this.#running;
  }

  async #read(requester: Requester, signal: AbortSignal): Promise<FullReading> {
    if (!this.#ready) throw this.#notReady();
    const reading = await this.#session.read(requester, signal).catch((error: unknown) => {
      throw error instanceof AgentError ? explainSilence(error, this.#ear.facts) : error;
    });
    if (this.#ready) this.#reconnectBackoff.clear();
    return reading;
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#parts;
    const end = this.#end.signal;
    while (!end.aborted) {
      await this.#useOneLine().catch((error: unknown) => this.#failed(asAgentError(error)));
      await clock.sleep(this.#reconnectBackoff.openAgainInMs(random.unit()), end).catch(() => {
        // close() has cut the pause short; the loop ends.
      });
    }
  }

  /** From the opening of a line to its loss. Rejects when it does not open. */
  async #useOneLine(): Promise<void> {
    const { open, clock } = this.#parts;
    const end = this.#end.signal;
    const opened = await open(end).catch((error: unknown) => {
      const problem = asAgentError(error, "BRIDGE_OPEN_FAILED");
      if (!end.aborted) this.#count(problem.code);
      // Unplugged, or of another kind: what was heard there says nothing any more.
      this.#ear.forget();
      throw problem;
    });
    this.#count("ok");
    this.#path = opened.path;
    const link = new Link(opened, {
      ...{ clock, counters: this.#counters, ear: this.#ear },
      nextId: () => this.#nextId++,
    });
    const onEnd = () => link.fail(end.reason);
    end.addEventListener("abort", onEnd, { once: true });
    if (end.aborted) onEnd();
    this.#link = link;
    this.#retryAt = 0;
    this.#session.attach(link);
    try {
      await this.#tend(link);
    } finally {
      const wasReady = this.#ready;
      const reason = asAgentError(link.lost.reason);
      this.#link = undefined;
      this.#failed(reason);
      if (reason.code !== "BRIDGE_TIMEOUT") this.#ear.forget();
      this.#session.detach(reason);
      end.removeEventListener("abort", onEnd);
      if (wasReady) this.#emit({ type: "lost", code: reason.code, detail: reason.message });
      await link.close();
    }
  }

  /** Does what the open line needs of its own accord until it is lost. Never rejects. */
  async #tend(link: Link): Promise<void> {
    const { clock, random } = this.#parts;
    const onLost = () => this.#nap.abort();
    link.lost.addEventListener("abort", onLost, { once: true });
    while (!link.lost.aborted) {
      const { greeted, usable: initialised } = this.#session;
      const duty = nextAction({ greeted, initialised, heardAt: link.heardAt, retryAt: this.#retryAt }, clock.boot());
      if (duty.do === "wait") {
        this.#nap = new AbortController();
        await clock.sleep(duty.ms, this.#nap.signal).catch(() => {
          // Woken early: the line is lost, or the SDK needs an init.
        });
        continue;
      }
      try {
        await this.#session[duty.do === "hello" ? "hello" : "initialise"](link.lost);
        if (this.#ready) this.#reconnectBackoff.clear();
      } catch (error) {
        if (link.lost.aborted) break;
        this.#failed(asAgentError(error));
        this.#retryAt = clock.boot() + this.#reconnectBackoff.tryAgainInMs(random.unit());
      }
    }
  }

  /** Called at every change of the session: tells the listeners when the bridge has become ready, wakes `#tend` when it no longer is. */
  #review(): void {
    const was = this.#ready;
    this.#ready = this.#session.usable;
    const { identity } = this.#session;
    if (!this.#ready) this.#nap.abort();
    if (!this.#ready || was || !identity) return;
    this.#reconnectBackoff.clear();
    this.#parts.log.info("BRIDGE_READY", { path: this.#path, bridge: identity.bridge });
    for (const waiter of this.#waiters) waiter.resolve(identity);
    this.#emit({ type: "ready", identity });
  }

  #failed(error: AgentError): void {
    if (this.#end.signal.aborted) return;
    const problem = explainSilence(error, this.#ear.facts);
    const { code, params } = problem;
    const level = this.#reconnectBackoff.note(problem) ? "warn" : "debug";
    this.#parts.log[level]("BRIDGE_PROBLEM", { cause: code, params, path: this.#path });
  }

  #notReady(): AgentError {
    if (this.#end.signal.aborted) return asAgentError(this.#end.signal.reason);
    return explainSilence(this.#reconnectBackoff.notReady(), this.#ear.facts);
  }

  #count(outcome: string): void {
    this.#opens[outcome] = (this.#opens[outcome] ?? 0) + 1;
  }

  #emit(event: DriverEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        // A listener's defect must not stop the line.
        this.#parts.log.error("BRIDGE_LISTENER_FAILED", { detail: asAgentError(error).message });
      }
    }
  }
}
