import { openPty, type Pty } from "../../drivers/simulator/pty.ts";

/**
 * A serial line between two programs that each open a device: two pseudo-terminals whose masters are joined. Each end can be
 * pulled, and what goes over can be disturbed.
 */
export class SerialCable implements AsyncDisposable {
  /** Applied to every piece that goes over, either way. */
  disturb: (octets: Buffer) => Buffer = (octets) => octets;
  readonly #links: readonly [near: string, far: string];
  #ends: [Pty, Pty] | undefined;

  constructor(near: string, far: string) {
    this.#links = [near, far];
  }

  async plug(): Promise<void> {
    const [near, far] = await Promise.all(this.#links.map((link) => openPty({ link })));
    if (!near || !far) throw new Error("no pseudo-terminals");
    this.#ends = [near, far];
    near.stream.on("data", (octets: Buffer) => far.stream.write(this.disturb(octets)));
    far.stream.on("data", (octets: Buffer) => near.stream.write(this.disturb(octets)));
    for (const { stream } of this.#ends) stream.on("error", () => undefined);
  }

  /** Both boards lose their device. */
  unplug(): void {
    for (const end of this.#ends ?? []) end.unplug();
    this.#ends = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.unplug();
  }
}
