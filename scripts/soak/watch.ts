import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { SoakAgent } from "./agent.ts";
import type { Control } from "./control.ts";
import { type Judge, READ_EVERY_MS } from "./judge.ts";
import type { Ledger } from "./ledger.ts";
import type { Peers } from "./peers.ts";
import { Pulse } from "./pulse.ts";
import { listen, read } from "./reader.ts";
import type { Recovery } from "./recovery.ts";
import type { Report } from "./violations.ts";
import type { Asks, Wire } from "./wire.ts";

export interface Watched {
  readonly peers: Peers;
  readonly agent: SoakAgent;
  readonly judge: Judge;
  readonly recovery: Recovery;
  readonly wire: Wire;
  readonly asks: Asks;
  readonly ledger: Ledger;
  readonly control: Control;
  readonly report: Report;
  /** Once a minute. */
  readonly progress: () => void;
}

const STALE_EVERY = 10;
const WIRE_EVERY_MS = 50;
const SECOND_MS = 1_000;
const LOOK_EVERY_MS = 5_000;
const PROGRESS_EVERY_MS = 60_000;
/** All that may lie in the agent's directories after it has ended in order. */
const PLACES = {
  state: /^(state(\.prev)?\.sealed|store\.key|config\.remembered\.json)$/,
  run: /^(authinfo\.json|facepay\.prom)$/,
};

/** Everyone who looks on: the client, the subscriber, the simulators' log, the kernel, the directories. */
export class Watch {
  /** Answer times of an agent that was up, ms. */
  readonly latencies: number[] = [];
  readonly #watched: Watched;
  readonly #pulse = new Pulse();
  readonly #done = new AbortController();
  #watching: Promise<unknown> = Promise.resolve();

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  start(): void {
    const { agent, progress } = this.#watched;
    this.#watching = Promise.all([
      this.#reading(),
      this.#listening(),
      this.#every(WIRE_EVERY_MS, () => this.lookAtWire()),
      this.#every(SECOND_MS, () => this.#lookAtClock()),
      this.#every(SECOND_MS, () => this.#lookAtCopy()),
      this.#every(LOOK_EVERY_MS, () => agent.look()),
      this.#every(PROGRESS_EVERY_MS, progress),
    ]);
  }

  /** To be called when the agent has ended. */
  async stop(): Promise<void> {
    this.#done.abort();
    this.#pulse.close();
    await this.#watching;
    const { peers, report } = this.#watched;
    this.lookAtWire();
    for (const words of peers.bridge.violations) report("bridge_protocol", words);
    for (const [place, known] of Object.entries(PLACES)) {
      const names = await readdir(peers.within(place)).catch(() => []);
      const strange = names.filter((name) => !known.test(name));
      if (strange.length > 0) report("leftovers", `${place}: ${strange.join(" ")}`);
    }
  }

  lookAtWire(): void {
    const { peers, wire, asks } = this.#watched;
    const asked = asks.lately(performance.now());
    for (const { which, request } of peers.newRequests()) wire.request(request, which, this.#pulse.lateMs(), asked);
  }

  /** The client: some ten times a second, whether there is an agent or not. */
  async #reading(): Promise<void> {
    const { peers, agent, judge, recovery, control } = this.#watched;
    for (let n = 1; !this.#done.signal.aborted; n++) {
      const startedMs = performance.now();
      const found = await read(peers.playground.apiSocket, n % STALE_EVERY === 0);
      if (found.status > 0) agent.answered(found.gotMs);
      const up = agent.upSince(found.sentMs);
      judge.reading(found, up);
      recovery.reading(found, up);
      if (up && found.status > 0) this.latencies.push(found.gotMs - found.sentMs);
      await control.read();
      await delay(Math.max(0, READ_EVERY_MS - (performance.now() - startedMs)));
    }
  }

  async #listening(): Promise<void> {
    const { peers, judge } = this.#watched;
    const ends = {
      onOpen: () => judge.streamOpened(performance.now()),
      onEvent: (served: Parameters<Judge["event"]>[0]) => judge.event(served, performance.now()),
      onClose: () => judge.streamClosed(),
    };
    await listen(peers.playground.apiSocket, ends, this.#done.signal);
  }

  #lookAtClock(): void {
    const { agent, judge, recovery } = this.#watched;
    const nowMs = performance.now();
    const up = agent.upSince(nowMs - SECOND_MS);
    judge.tick(nowMs, up);
    recovery.tick(nowMs, up);
  }

  async #lookAtCopy(): Promise<void> {
    const { peers, ledger, report } = this.#watched;
    const text = await readFile(peers.within(path.join("run", "authinfo.json")), "utf8").catch(() => undefined);
    if (text === undefined) return;
    try {
      const { authinfo } = JSON.parse(text) as { authinfo?: string };
      if (authinfo !== undefined && ledger.find(authinfo) === undefined) report("torn_copy", "an unknown authinfo");
    } catch {
      report("torn_copy", `${text.length} octets that are no JSON`);
    }
  }

  async #every(ms: number, act: () => void | Promise<void>): Promise<void> {
    while (!this.#done.signal.aborted) {
      await act();
      await delay(ms, undefined, { signal: this.#done.signal }).catch(() => undefined);
    }
  }
}
