import net from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { SimulatedBridge } from "../../drivers/simulator/simulated-bridge.ts";

/** Connects to a socket of QEMU's, which may be about to open it. */
export async function connect(socketPath: string, withinMs: number): Promise<net.Socket> {
  for (const deadline = performance.now() + withinMs; ; await delay(50)) {
    const socket = net.connect(socketPath);
    const error = await new Promise<Error | undefined>((resolve) => {
      socket.once("connect", () => resolve(undefined)).once("error", resolve);
    });
    if (error === undefined) return socket;
    if (performance.now() > deadline) throw new Error(`nobody listens on ${socketPath}: ${error.message}`);
  }
}

/** A simulated bridge at the far end of a board's line. QEMU takes a USB adapter off the bus while its far end is not connected. */
export class Plug {
  readonly bridge = new SimulatedBridge();
  readonly #socketPath: string;
  #line: net.Socket | undefined;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  async in(): Promise<void> {
    this.#line = await connect(this.#socketPath, 30_000);
    this.#line.on("error", () => {});
    this.bridge.attach(this.#line);
  }

  async out(): Promise<void> {
    const line = this.#line;
    this.#line = undefined;
    if (line === undefined || line.closed) return;
    await new Promise<void>((resolve) => line.once("close", () => resolve()).destroy());
  }
}
