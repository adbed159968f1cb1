import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import type { AnswerFault } from "../../../agent/simulator/answer-faults.ts";
import type { BridgeFaults } from "../../../drivers/simulator/bridge-faults.ts";
import { SimulatedBridge } from "../../../drivers/simulator/simulated-bridge.ts";
import { type Diagnosis, diagnosed } from "../checks/diagnosed.ts";
import { OwnAgent } from "../fixtures/own-agent.ts";
import { openRig, type Rig, type RigOptions, type StatusDocument } from "../fixtures/running-agent.ts";

/** A technician's refresh may follow another after ten seconds (specification 5). */
const APART_MS = 11_000;
/** The journal tells a kind of event once a minute, after the first twenty (specification 9). */
const LOGGED_APART_MS = 60_000;
const GRACE_MS = 121_000;
const RAWDATA_OCTETS = 503;

type Overrides = NonNullable<Parameters<Rig["configure"]>[0]>;

/**
 * One terminal twice: with an agent at work in this process, and with none, in a directory, with a configuration and on a bridge of its own.
 * A fault is made for both. Diagnose, status and refresh look at them as they would at any other.
 */
export class FaultyTerminal implements AsyncDisposable {
  readonly rig: Rig;
  readonly agent: OwnAgent;
  /** That of the dead agent's terminal. */
  readonly otherBridge: SimulatedBridge;
  readonly #listener: net.Server;
  readonly #sockets = new Set<net.Socket>();
  #overrides: Overrides = {};
  #peerOffsetS = 0;

  private constructor(rig: Rig, agent: OwnAgent) {
    this.rig = rig;
    this.agent = agent;
    const random = rig.canaries.random("raw_data of the other bridge", RAWDATA_OCTETS);
    this.otherBridge = new SimulatedBridge({ deviceId: rig.playground.identity.deviceId, random });
    this.#listener = net.createServer((socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      this.otherBridge.attach(socket);
    });
  }

  static async open(options: RigOptions = {}): Promise<FaultyTerminal> {
    const rig = await openRig(options);
    const agent = new OwnAgent(rig.configFile);
    const terminal = new FaultyTerminal(rig, agent);
    await new Promise<void>((resolve) => terminal.#listener.listen(terminal.#otherSocket, resolve));
    await mkdir(rig.within("dead-state"), { mode: 0o700 });
    await terminal.#writeOther();
    await rig.served(({ state, persisted }) => state === "fresh" && persisted);
    return terminal;
  }

  get #otherSocket(): string {
    return this.rig.within("dead.sock");
  }

  get otherConfigFile(): string {
    return this.rig.within("dead.toml");
  }

  // Faults.

  answer(fault: AnswerFault): void {
    this.rig.pay.faults.always = fault;
  }

  bridge(faults: BridgeFaults): void {
    this.rig.bridge.faults = faults;
    this.otherBridge.faults = faults;
  }

  /** WeChat Pay's clock against the terminal's. */
  peerClock(offsetS: number): void {
    this.#peerOffsetS = offsetS;
    this.rig.pay.clockOffsetS = this.agent.clock.movedMs / 1_000 + offsetS;
  }

  /** For the running agent by a reload, for the dead one on the disk. */
  async configure(overrides: Overrides): Promise<void> {
    const before = (await this.rig.status()).config?.hash;
    this.#overrides = overrides;
    await this.rig.configure(overrides);
    await this.#writeOther();
    this.agent.reload();
    await this.rig.statusWhere("the reload", ({ config }) => config?.hash !== before);
  }

  /** As it was. */
  async heal(): Promise<void> {
    this.rig.pay.faults.clear();
    this.peerClock(0);
    for (const bridge of [this.rig.bridge, this.otherBridge]) {
      bridge.behave();
      bridge.protocol = "1.0";
      bridge.deviceId = this.rig.playground.identity.deviceId;
    }
    if (Object.keys(this.#overrides).length > 0) await this.configure({});
    await this.rig.statusWhere("the bridge is ready", ({ bridge }) => bridge?.state === "ready");
    this.agent.clock.move(LOGGED_APART_MS);
    // Mended is mended; and no attempt of before is under way any more that the next refresh would share.
    await this.rig.until("a renewal", async () => (await this.refresh()).status === 200);
  }

  /** A bridge that has just answered may say anything for two minutes (drivers/sdk/line-facts.ts). */
  pastTheGrace(): void {
    this.agent.clock.move(GRACE_MS);
    this.peerClock(this.#peerOffsetS);
  }

  // What a technician sees.

  /** The answer to the refresh, when it has failed. */
  async refresh(): Promise<{ readonly status: number; readonly cause: StatusDocument["last_error"] | undefined }> {
    this.agent.clock.move(APART_MS);
    this.peerClock(this.#peerOffsetS);
    const { status, body } = await this.rig.refresh();
    return { status, cause: (body as { cause?: StatusDocument["last_error"] }).cause };
  }

  async diagnose(agent: "running" | "dead", only: readonly string[]): Promise<Diagnosis> {
    const file = agent === "running" ? this.rig.configFile : this.otherConfigFile;
    const found = await diagnosed(file, { only, clock: this.agent.clock });
    this.rig.saw(`diagnose, ${agent}`, JSON.stringify(found.results));
    return found;
  }

  async #writeOther(): Promise<void> {
    const text = await readFile(this.rig.configFile, "utf8");
    const moved = text
      .replace('"bridge.sock"', '"dead.sock"')
      .replace('"state"', '"dead-state"')
      .replaceAll('"run/', '"dead-run/');
    await writeFile(this.otherConfigFile, moved);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent[Symbol.asyncDispose]();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#listener.close(resolve));
    await rm(this.#otherSocket, { force: true });
    this.rig.saw("journal", JSON.stringify(this.agent.log));
    await this.rig[Symbol.asyncDispose]();
  }
}
