import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { type Random, systemRandom } from "../../agent/common/random.ts";
import type { AnswerFault } from "../../agent/simulator/answer-faults.ts";
import type { PayRequest, PayService } from "../../agent/simulator/pay-service.ts";
import { createPlayground, type Playground } from "../../agent/simulator/playground.ts";
import { startWechatPayServer } from "../../agent/simulator/wechatpay-server.ts";
import { openPty, type Pty } from "../../drivers/simulator/pty.ts";
import { SimulatedBridge } from "../../drivers/simulator/simulated-bridge.ts";
import type { Ledger } from "./ledger.ts";

/** What the simulated WeChat Pay draws for one authinfo. */
const AUTHINFO_OCTETS = 750;
const LIFE_S = 60;
export const STALE_S = 20;

type Section = Readonly<Record<string, string | number | boolean | readonly string[]>>;
export type Overrides = Readonly<Record<string, Section>>;

/** The lifetimes and waits of a terminal, sixty times shorter where the specification lets us. */
const BASE: Overrides = {
  driver: { call_timeout_ms: 2_000, init_timeout_ms: 3_000 },
  wechatpay: { attempt_timeout_ms: 4_000, connect_timeout_ms: 2_000 },
  // Earlier than by default, so that few faults pass between two attempts unseen.
  refresh: { lifetime_s: LIFE_S, stale_s: STALE_S, refresh_at: 0.3, refresh_at_unsteady: 0.2 },
  file_copy: { path: "run/authinfo.json" },
  metrics: { textfile: "run/facepay.prom" },
  log: { level: "info" },
};

export type Which = "primary" | "backup";

interface Seen {
  readonly which: Which;
  readonly request: PayRequest;
}

/** The world around the agent: a bridge on a pseudo-terminal and a WeChat Pay with two base URLs. */
export class Peers {
  readonly playground: Playground;
  readonly bridge: SimulatedBridge;
  readonly #ledger: Ledger;
  readonly #services = new Map<Which, PayService>();
  readonly #ports = new Map<Which, number>();
  readonly #looked = new Map<Which, string>();
  /** Of a service that has gone since. */
  #unseen: Seen[] = [];
  #pty: Pty | undefined;
  #fault: { readonly fault: AnswerFault; readonly believable: boolean } | undefined;
  #faulty: readonly Which[] = [];
  /** "response" answers carry expires_in. */
  expiry: "response" | "assumed" = "response";

  static async open(directory: string, ledger: Ledger): Promise<Peers> {
    const peers = new Peers(await createPlayground(directory), ledger);
    await peers.up("primary");
    await peers.up("backup");
    await peers.plug();
    await peers.configure();
    return peers;
  }

  private constructor(playground: Playground, ledger: Ledger) {
    this.playground = playground;
    this.#ledger = ledger;
    this.bridge = new SimulatedBridge({ deviceId: playground.identity.deviceId });
  }

  within(name: string): string {
    return path.join(this.playground.directory, name);
  }

  async plug(): Promise<void> {
    this.#pty = await openPty({ link: this.playground.deviceLink });
    this.bridge.attach(this.#pty.stream);
  }

  unplug(): void {
    this.#pty?.unplug();
    this.#pty = undefined;
  }

  async up(which: Which): Promise<void> {
    if (this.#services.has(which)) return;
    const { wechatPayOptions } = this.playground;
    const service = await startWechatPayServer({
      ...wechatPayOptions,
      port: this.#ports.get(which) ?? 0,
      random: this.#random(which),
    });
    this.#ports.set(which, service.port);
    this.#services.set(which, service);
    this.#dress();
  }

  async down(which: Which): Promise<void> {
    const service = this.#services.get(which);
    this.#unseen.push(...this.newRequests());
    this.#services.delete(which);
    await service?.stop();
  }

  /** From now on answers are like this; undefined ends it. */
  misbehave(fault: AnswerFault | undefined, options: { believable?: boolean; only?: Which } = {}): void {
    this.#fault = fault && { fault, believable: options.believable ?? true };
    this.#faulty = options.only === undefined ? ["primary", "backup"] : [options.only];
    this.#dress();
  }

  #dress(): void {
    for (const [which, service] of this.#services) {
      service.faults.always = this.#faulty.includes(which) ? this.#fault?.fault : undefined;
      service.expiresIn = this.expiry === "response" ? LIFE_S : undefined;
    }
  }

  changeExpiry(expiry: "response" | "assumed"): void {
    this.expiry = expiry;
    this.#dress();
  }

  /** Each authinfo is noted as it is drawn. */
  #random(which: Which): Random {
    return {
      unit: systemRandom.unit,
      bytes: (length) => {
        const octets = systemRandom.bytes(length);
        if (length === AUTHINFO_OCTETS) {
          const believable = !this.#faulty.includes(which) || this.#fault?.believable !== false;
          this.#ledger.note(octets.toString("base64"), { atMs: performance.now(), lifeMs: LIFE_S * 1_000, believable });
        }
        return octets;
      },
    };
  }

  /** The requests that have come since the last look. The simulator keeps 2000: far more than come in between. */
  *newRequests(): Generator<Seen> {
    yield* this.#unseen.splice(0);
    for (const [which, service] of this.#services) {
      const { requests } = service;
      const after = requests.findLastIndex(({ requestId }) => requestId === this.#looked.get(which)) + 1;
      for (const request of requests.slice(after)) yield { which, request };
      this.#looked.set(which, requests.at(-1)?.requestId ?? "");
    }
  }

  async configure(more: Overrides = {}): Promise<void> {
    const sections = new Set([...Object.keys(BASE), ...Object.keys(more)]);
    const overrides = Object.fromEntries([...sections].map((name) => [name, { ...BASE[name], ...more[name] }]));
    await this.playground.writeConfig({
      baseUrls: [...this.#ports.values()].map((port) => `https://127.0.0.1:${port}`),
      driver: { type: "serial", path: "ttyFACEPAY" },
      overrides,
    });
  }

  /** One value is wrong; the rest still tells where the state is. */
  async misconfigure(): Promise<void> {
    const text = await readFile(this.playground.configFile, "utf8");
    await writeFile(this.playground.configFile, text.replace(/^sp_mchid = .*$/m, "sp_mchid = 5"));
  }

  async close(): Promise<void> {
    this.bridge.close();
    this.unplug();
    await Promise.all([this.down("primary"), this.down("backup")]);
  }
}

/** A network card comes and goes. Only in a network namespace of our own: others on this machine would feel it. */
export function changeLink(present: boolean): void {
  const command = present ? "link add soak0 type veth peer name soak1" : "link delete soak0";
  execFileSync("ip", command.split(" "), { stdio: "ignore" });
  if (present) execFileSync("ip", "address add 10.255.255.1/30 dev soak0".split(" "), { stdio: "ignore" });
}
