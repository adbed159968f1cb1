import { EventEmitter } from "node:events";
import { run } from "../../agent/cli/run.ts";
import { AgentError } from "../../agent/common/errors.ts";
import type { Random } from "../../agent/common/random.ts";
import { ApiClient } from "./api-client.ts";
import type { ConfigFiles } from "./device.ts";
import type { SimulatedDisk } from "./disk.ts";
import type { SimulatedBoard } from "./line.ts";
import type { SimulatedNetwork } from "./network.ts";
import type { ProcessClock } from "./virtual-time.ts";

export interface Surroundings {
  readonly clock: ProcessClock;
  readonly random: Random;
  readonly bootId: string;
  readonly config: ConfigFiles;
  readonly timesyncFlag: string;
  readonly disk: SimulatedDisk;
  readonly board: SimulatedBoard;
  readonly network: SimulatedNetwork;
  readonly onLog: (line: string) => void;
  /** The program has ended, by itself or because it was asked to. */
  readonly onEnd: (how: number | Error) => void;
}

/** One run of the whole program, from its start until it ends or is killed. Everything it touches is simulated but its configuration files. */
export class AgentProcess {
  readonly clock: ProcessClock;
  cashier: ApiClient | undefined;
  admin: ApiClient | undefined;
  /** It has been asked to end. */
  stopping = false;
  #dead = false;
  readonly #signals = new EventEmitter();
  readonly #board: SimulatedBoard;

  constructor({ clock, random, bootId, config, timesyncFlag, disk, board, network, onLog, onEnd }: Surroundings) {
    this.clock = clock;
    this.#board = board;
    const ended = run(
      { config: config.file, lang: "en" },
      {
        env: {},
        ...{ clock, random, bootId, timesyncFlag, ownProcess: false },
        writeLog: (line) => {
          if (!this.#dead) onLog(line);
        },
        signals: this.#signals,
        // Two programs at once are a matter of the system: scripts/test-crash/test-crash.ts.
        lockDirectory: async () => ({ release: async () => undefined }),
        openSocket: async (server, place) => {
          const path = "path" in place ? place.path : "";
          if (path.includes("admin")) this.admin = new ApiClient(server);
          else this.cashier = new ApiClient(server);
          return { path, isReplaced: () => false, close: () => server.close() };
        },
        system: {
          fileSystem: disk.for(clock),
          prepareDirectory: async (directory) =>
            disk.trouble === "read_only"
              ? new AgentError("STORE_WRITE.directory", { directory, errno: "EROFS" })
              : undefined,
          openLine: board.openFor(clock),
          createTransport: network.transportFor(clock),
          findPortal: async () => undefined,
          networkInterfaces: () => network.interfaces(),
          look: async (file) => config.markOf(file),
        },
      },
    );
    ended.then(
      (code) => this.#ended(code, onEnd),
      (error: unknown) => this.#ended(error instanceof Error ? error : new Error(String(error)), onEnd),
    );
  }

  get running(): boolean {
    return !this.#dead;
  }

  stop(): void {
    this.stopping = true;
    this.#signals.emit("SIGTERM");
  }

  reload(): void {
    this.#signals.emit("SIGHUP");
  }

  /** As kill -9 does it, or a power cut. */
  kill(): void {
    this.#dead = true;
    this.clock.kill();
    this.#board.hangUp();
    this.cashier = undefined;
    this.admin = undefined;
  }

  #ended(how: number | Error, onEnd: Surroundings["onEnd"]): void {
    if (this.#dead) return;
    this.kill();
    onEnd(how);
  }
}
