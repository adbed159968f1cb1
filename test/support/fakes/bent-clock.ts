import { rename, writeFile } from "node:fs/promises";
import type { Rig } from "../fixtures/running-agent.ts";

/** The time as one rig's agents see it, bent while they run. OpenSSL reads its own clock, which this does not reach. */
export class BentClock {
  readonly env: Readonly<Record<string, string>>;
  readonly #file: string;
  #bent = { wallMs: 0, suspendedMs: 0 };

  private constructor(file: string) {
    this.#file = file;
    const preload = new URL("./bent-clock.js", import.meta.url).href;
    this.env = { NODE_OPTIONS: `--import=${preload}`, BENT_CLOCK_FILE: file };
  }

  static async of(rig: Rig, wallMs = 0): Promise<BentClock> {
    const clock = new BentClock(rig.within("bent-clock.json"));
    await clock.stepWall(wallMs);
    return clock;
  }

  /** As NTP or a person sets a clock. */
  stepWall(ms: number): Promise<void> {
    return this.#bend({ ...this.#bent, wallMs: this.#bent.wallMs + ms });
  }

  /** As a lid that has been closed for that long. */
  suspend(ms: number): Promise<void> {
    return this.#bend({ ...this.#bent, suspendedMs: this.#bent.suspendedMs + ms });
  }

  async #bend(bent: { wallMs: number; suspendedMs: number }): Promise<void> {
    this.#bent = bent;
    await writeFile(`${this.#file}.new`, JSON.stringify(bent));
    await rename(`${this.#file}.new`, this.#file);
  }
}
