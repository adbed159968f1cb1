import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { encodeFrame, FrameDecoder } from "../../drivers/line/frame.ts";
import { compileSimulatedSdk } from "../../drivers/simulator/compile-sdk.ts";
import { median, quantile } from "./statistics.ts";
import { compared, type Row } from "./table.ts";
import { ownLauncher } from "./terminal.ts";

const ROUNDS = 15;
const CALLS_A_ROUND = 400;
const MOST_ADDED_US = 300;
const STARTS = 15;
const MOST_START_RATIO = 2.5;

const INIT = { cmd: "initWxpayface", version: "1", now: 1 };
const RAWDATA = { cmd: "getWxpayfaceRawdata", version: "1", now: 1 };

/** The reference bridge over the simulated SDK: what it adds to a call, and how long a new session takes. */
export async function bridgeRows(): Promise<Row[]> {
  const directory = await mkdtemp(path.join(os.tmpdir(), "facepay-bench-bridge-"));
  const library = await compileSimulatedSdk(directory);
  const socket = path.join(directory, "bridge.sock");
  const child = spawn(process.execPath, [ownLauncher, "bridge", "--library", library, "--socket", socket], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  try {
    for await (const line of child.stderr.setEncoding("utf8")) if (String(line).includes("SDK_LOADED")) break;
    const caller = await Caller.to(socket);
    const rows = [await addedRow(caller, library), await startRow(caller)];
    caller.close();
    return rows;
  } finally {
    child.kill();
    await once(child, "exit");
    await rm(directory, { recursive: true });
  }
}

async function addedRow(caller: Caller, library: string): Promise<Row> {
  const direct = await openDirectly(library);
  direct(INIT);
  await caller.call(INIT);
  const ours: number[] = [];
  const floor: number[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    const through: number[] = [];
    const alone: number[] = [];
    for (let n = 0; n < CALLS_A_ROUND; n++) {
      const startedAt = performance.now();
      await caller.call(RAWDATA);
      through.push(1_000 * (performance.now() - startedAt));
    }
    for (let n = 0; n < CALLS_A_ROUND; n++) {
      const startedAt = performance.now();
      direct(RAWDATA);
      alone.push(1_000 * (performance.now() - startedAt));
    }
    if (round < 0) continue;
    ours.push(median(through));
    floor.push(median(alone));
  }
  const added = ours.map((value, n) => value - (floor[n] ?? Number.NaN));
  const span = `${quantile(added, 0.25).toFixed(0)} to ${quantile(added, 0.75).toFixed(0)}`;
  return {
    what: `getWxpayfaceRawdata through the bridge's socket, p50 of ${CALLS_A_ROUND}`,
    ours: `${median(ours).toFixed(0)} us`,
    against: `${median(floor).toFixed(0)} us (direct koffi call)`,
    result: `+ ${median(added).toFixed(0)} us (${span}, ${ROUNDS} rounds)`,
    limit: `<= + ${MOST_ADDED_US} us`,
    reached: median(added) <= MOST_ADDED_US,
  };
}

/** From the crash of the SDK to the first answer of the next process, against the start of a Node that does nothing. */
async function startRow(caller: Caller): Promise<Row> {
  const ours: number[] = [];
  const other: number[] = [];
  for (let n = 0; n < STARTS; n++) {
    await caller.call({ ...RAWDATA, simulate: "crash" });
    const startedAt = performance.now();
    await caller.call(INIT);
    ours.push(performance.now() - startedAt);
    const bareAt = performance.now();
    await once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit");
    other.push(performance.now() - bareAt);
  }
  return compared({
    what: "a new session of the SDK after a crash, up to its first answer",
    ours,
    other,
    otherName: "node -e 0",
    show: (ms) => `${ms.toFixed(0)} ms`,
    limit: { atMost: MOST_START_RATIO },
  });
}

async function openDirectly(file: string): Promise<(request: object) => string> {
  const { default: koffi } = await import("koffi");
  const library = koffi.load(file);
  const face = library.func(
    "int wxpayCallFaceService(const uint8_t *reqBuf, uint32_t reqSize, _Out_ void **pRespBuf, _Out_ uint32_t *pRespSize)",
  );
  const release = library.func("void wxpayReleaseResponse(_Inout_ void **pRespBuf)");
  return (request) => {
    const octets = Buffer.from(JSON.stringify(request));
    const answer: unknown[] = [null];
    const size = [0];
    if (face(octets, octets.length, answer, size) !== 0) throw new Error("the library refused");
    const text = koffi.decode(answer[0], "char", size[0] ?? 0) as string;
    release(answer);
    return text;
  };
}

/** Calls over the bridge's socket, one at a time. */
class Caller {
  readonly #socket: net.Socket;
  #resolve: (payload: Buffer) => void = () => {};
  #id = 0;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    const decoder = new FrameDecoder();
    socket.on("data", (chunk: Buffer) => {
      for (const payload of decoder.push(chunk)) this.#resolve(payload);
    });
  }

  static async to(path: string): Promise<Caller> {
    const socket = net.connect(path);
    await once(socket, "connect");
    return new Caller(socket);
  }

  async call(params: object): Promise<unknown> {
    const request = JSON.stringify({ jsonrpc: "2.0", id: ++this.#id, method: "call", params });
    const payload = await new Promise<Buffer>((resolve) => {
      this.#resolve = resolve;
      this.#socket.write(encodeFrame(Buffer.from(request)));
    });
    return JSON.parse(payload.toString());
  }

  close(): void {
    this.#socket.destroy();
  }
}
