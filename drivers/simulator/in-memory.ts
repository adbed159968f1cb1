import { type Duplex, duplexPair } from "node:stream";
import { SimulatedBridge } from "./simulated-bridge.ts";

/** What the agent opens when `driver.type` is "simulator". */
export interface SimulatedStream {
  readonly stream: Duplex;
  /** For status and log; there is no such file. */
  readonly path: string;
  close(): Promise<void>;
}

/** A line in memory with a bridge at its other end. Give a `bridge` to keep its session over several openings. */
export function openSimulatedStream(bridge = new SimulatedBridge()): SimulatedStream {
  const [stream, far] = duplexPair();
  const detach = bridge.attach(far);
  return {
    stream,
    path: "simulator",
    async close() {
      detach();
      const ended = Promise.all([closed(stream), closed(far)]);
      stream.destroy();
      far.destroy();
      await ended;
    },
  };
}

function closed(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) resolve();
    else stream.once("close", () => resolve());
  });
}
