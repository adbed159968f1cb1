import { createHash } from "node:crypto";
import { existsSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { AgentProcess } from "./agent-process.ts";
import { chanceFor } from "./chance.ts";
import { ConfigFiles, type Device, drawDevice } from "./device.ts";
import { SimulatedDisk } from "./disk.ts";
import { SimulatedBoard } from "./line.ts";
import { SimulatedNetwork } from "./network.ts";
import { SimulatedPay } from "./pay.ts";
import { ProcessClock, VirtualTime } from "./virtual-time.ts";

/** Midnight in the shop on the first day. */
const EPOCH = Date.UTC(2026, 5, 1);
const NTP_FIRST_MS = 20_000;
const NTP_AGAIN_MS = 60_000;
/** After that the agent has seen that its clock has been set. */
const AGENT_LOOKS_MS = 30_000;

/** A promise that was not kept. */
export class Violation extends Error {
  readonly invariant: string;

  constructor(invariant: string, facts: string) {
    super(`${invariant}: ${facts}`);
    this.invariant = invariant;
  }
}

/** One terminal and all that is around it. */
export class World {
  readonly time = new VirtualTime();
  readonly device: Device;
  readonly config: ConfigFiles;
  readonly disk: SimulatedDisk;
  readonly board: SimulatedBoard;
  readonly network: SimulatedNetwork;
  readonly pay: SimulatedPay;
  readonly seed: number;
  process: AgentProcess | undefined;
  /** The wall clock minus the true time. */
  wallOffMs = 0;
  /** The first violation; the simulation ends with it. */
  violation: Violation | undefined;
  /** Told when a program has started, and why the one before it had ended. */
  onStart: (after: "stop" | "kill" | "power") => void = () => undefined;
  onClockRight: () => void = () => undefined;
  /** NTP has set the clock since the boot. */
  clockConfirmed = false;
  onLog: (line: string) => void = () => undefined;
  readonly #hash = createHash("sha256");
  readonly #recent: string[] = [];
  #boots = 0;
  #starts = 0;
  #bootedAt = 0;
  #poweredAt = 0;
  #offAt = 0;

  constructor(seed: number, directory: string) {
    this.seed = seed;
    this.device = drawDevice(seed);
    this.config = new ConfigFiles(directory, this.device);
    this.disk = new SimulatedDisk(this.config.store, chanceFor(seed, "disk"));
    const outside = new ProcessClock(this.time, -60_000, (now) => EPOCH + now);
    this.board = new SimulatedBoard(outside, chanceFor(seed, "board"));
    this.board.bridge.deviceId = this.device.deviceId;
    this.pay = new SimulatedPay(this.device, chanceFor(seed, "pay"));
    this.network = new SimulatedNetwork({
      pay: this.pay,
      chance: chanceFor(seed, "network"),
      now: () => this.time.now,
      awake: () => this.time.awake,
      wall: () => EPOCH + this.time.now,
      clockRight: () => !this.clockIsWrong,
    });
  }

  get now(): number {
    return this.time.now;
  }

  get poweredAtMs(): number {
    return this.#poweredAt;
  }

  get clockIsWrong(): boolean {
    return Math.abs(this.wallOffMs) > 2_000;
  }

  /** A line of the history, by which two runs are compared. */
  note(line: string): void {
    const text = `${(this.now / 1_000).toFixed(3)} ${line}`;
    this.#hash.update(`${text}\n`);
    this.#recent.push(text);
    if (this.#recent.length > 400) this.#recent.splice(0, 200);
  }

  get recent(): readonly string[] {
    return this.#recent;
  }

  digest(): string {
    return this.#hash.copy().digest("hex").slice(0, 16);
  }

  fail(invariant: string, facts: string): void {
    if (this.violation !== undefined) return;
    this.violation = new Violation(invariant, facts);
    this.note(`VIOLATION ${this.violation.message}`);
  }

  /** The power comes; the program starts some seconds later. */
  powerOn(): void {
    this.#boots++;
    this.#poweredAt = this.now;
    // It has taken a while until programs are started.
    this.#bootedAt = this.now - 8_000;
    this.#forgetTimesync();
    this.clockConfirmed = false;
    if (!this.device.hasClockBattery && this.#boots > 1) {
      // It goes on with the time that was written down last.
      this.wallOffMs -= this.now - this.#offAt;
    }
    this.note(`power on, wall clock off by ${this.wallOffMs} ms`);
    this.#askNtp(this.#boots, NTP_FIRST_MS);
    this.start("power");
  }

  /** @param clean the file systems have been unmounted */
  powerOff(clean: boolean): void {
    this.note(clean ? "power off" : "power cut");
    this.process?.kill();
    this.process = undefined;
    this.#offAt = this.now;
    if (!clean) this.disk.losePower();
  }

  start(after: "stop" | "kill" | "power"): void {
    const { config, disk, board, network } = this;
    this.#rememberConfig();
    const start = ++this.#starts;
    const chance = chanceFor(this.seed, "agent", start);
    this.note(`start ${start} after ${after}`);
    this.process = new AgentProcess({
      clock: new ProcessClock(this.time, this.#bootedAt, (now) => EPOCH + now + this.wallOffMs),
      random: {
        unit: () => chance.unit(),
        bytes: (length) => Buffer.from(Array.from({ length }, () => chance.below(256))),
      },
      bootId: `boot-${this.#boots}`,
      ...{ config, disk, board, network, timesyncFlag: this.#timesyncFlag },
      onLog: (line) => {
        const shown = line
          .trim()
          .replaceAll(config.directory, "$DIR")
          .replace(/"hash":"[0-9a-f]+"/, "");
        this.note(`log ${shown}`);
        this.onLog(line);
      },
      onEnd: (how) => {
        if (!this.process?.stopping) this.fail("ends-by-itself", String(how instanceof Error ? how.stack : how));
        this.note(`ended with ${how}`);
      },
    });
    this.onStart(after);
  }

  kill(): void {
    this.note("kill");
    this.process?.kill();
    this.process = undefined;
  }

  end(): void {
    this.process?.kill();
    rmSync(this.config.directory, { recursive: true, force: true });
  }

  get #timesyncFlag(): string {
    return path.join(this.config.directory, "synchronized");
  }

  #forgetTimesync(): void {
    if (existsSync(this.#timesyncFlag)) unlinkSync(this.#timesyncFlag);
  }

  /** NTP sets the clock as soon as there is a network. */
  #askNtp(boot: number, afterMs: number): void {
    this.time.timer(afterMs, () => {
      if (boot !== this.#boots) return;
      const { trouble } = this.network;
      const reachable = !["link_down", "no_dns", "no_route", "black_hole"].includes(trouble.get("*") ?? "none");
      if (!reachable) return this.#askNtp(boot, NTP_AGAIN_MS);
      this.note(`NTP sets the clock by ${-this.wallOffMs} ms`);
      this.wallOffMs = 0;
      this.clockConfirmed = true;
      writeFileSync(this.#timesyncFlag, "");
      this.time.timer(AGENT_LOOKS_MS, () => {
        if (boot === this.#boots && !this.clockIsWrong) this.onClockRight();
      });
    });
  }

  /** The remembered configuration is read as a real file; it is where the simulated disk has it. */
  #rememberConfig(): void {
    const name = "config.remembered.json";
    const content = this.disk.contentOf(name);
    const file = path.join(this.config.store, name);
    if (content === undefined) rmSync(file, { force: true });
    else writeFileSync(file, content, { mode: 0o600 });
  }
}
