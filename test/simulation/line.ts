import { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import { AgentError } from "../../agent/common/errors.ts";
import { SimulatedBridge } from "../../drivers/simulator/simulated-bridge.ts";
import type { Chance } from "../support/faults/seeded.ts";
import { secret } from "./chance.ts";
import type { ProcessClock } from "./virtual-time.ts";

const PATH = "/dev/simulated";
const RAWDATA_OCTETS = 503;

export type LineTrouble = "none" | "unplugged" | "forbidden" | "deaf";

/** One end of a line: as much of a stream as its users know. What is written comes out at the other end a little later. */
class LineEnd extends EventEmitter {
  destroyed = false;
  other: LineEnd | undefined;
  readonly #deliver: (act: () => void) => void;

  constructor(deliver: (act: () => void) => void) {
    super();
    this.#deliver = deliver;
  }

  get writable(): boolean {
    return !this.destroyed;
  }

  write(octets: Uint8Array, done?: (error?: Error) => void): boolean {
    const { other } = this;
    this.#deliver(() => {
      if (!this.destroyed && other?.destroyed === false) other.emit("data", Buffer.from(octets));
    });
    done?.();
    return true;
  }

  destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    queueMicrotask(() => {
      if (error) this.emit("error", error);
      this.emit("close");
    });
    return this;
  }
}

/** The SDK board and the cable to it. The board has its own power and its own clock. */
export class SimulatedBoard {
  readonly bridge: SimulatedBridge;
  trouble: LineTrouble = "none";
  #ends: LineEnd[] = [];
  readonly #chance: Chance;

  /** @param clock of the board */
  constructor(clock: ProcessClock, chance: Chance) {
    this.#chance = chance;
    let issued = 0;
    const random = {
      unit: () => chance.unit(),
      bytes: (length: number) =>
        length === RAWDATA_OCTETS
          ? Buffer.from(secret(chance, issued++, 168), "base64").subarray(0, length)
          : Buffer.from(Array.from({ length }, () => chance.below(256))),
    };
    this.bridge = new SimulatedBridge({ clock, random });
  }

  /** The cable is pulled; the agent's end of it breaks. */
  unplug(): void {
    this.trouble = "unplugged";
    this.hangUp();
  }

  hangUp(): void {
    for (const end of this.#ends.splice(0)) end.destroy();
  }

  /** What a process of the terminal opens. */
  openFor(clock: ProcessClock) {
    return () => async () => {
      await clock.sleep(1 + this.#chance.below(5));
      if (this.trouble === "unplugged") throw new AgentError("BRIDGE_NOT_FOUND", { path: PATH });
      if (this.trouble === "forbidden") throw new AgentError("BRIDGE_PERMISSION", { path: PATH });
      const near = new LineEnd((act) => queueMicrotask(act));
      const far = new LineEnd((act) => void clock.timer(1 + this.#chance.below(4), act));
      near.other = far;
      far.other = near;
      this.#ends.push(near, far);
      const detach = this.bridge.attach(far as unknown as Duplex);
      return {
        stream: near as unknown as Duplex,
        path: PATH,
        close: async () => {
          detach();
          near.destroy();
          far.destroy();
          this.#ends = this.#ends.filter((end) => end !== near && end !== far);
        },
      };
    };
  }
}
