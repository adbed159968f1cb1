import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import type { Architecture } from "./debian.ts";

export interface VmOptions {
  readonly kernel: string;
  readonly initrd: string;
  readonly disk: string;
  /** QEMU's cache mode of the disk: both lose what the guest has not flushed. */
  readonly cache: string;
  readonly architecture: Architecture;
  /** QEMU's name of the processor; any unless told. */
  readonly cpu?: string;
  /** One unless told: the guest's own watchdog complains of two in the shorter test. */
  readonly processors?: number;
  /** More arguments for QEMU: what is plugged in. */
  readonly devices?: readonly string[];
  /** More words for the kernel. */
  readonly append?: string;
  readonly onLine?: (line: string) => void;
}

const KEPT_LINES = 40;
const POLL_MS = 50;

/** The serial line that is the console. */
export const consoleOf = (architecture: Architecture) => (architecture === "arm64" ? "ttyAMA0" : "ttyS0");
export const qemuOf = (architecture: Architecture) => `qemu-system-${architecture === "arm64" ? "aarch64" : "x86_64"}`;

/** One boot of a virtual machine. Emulated (TCG), so that it is the same everywhere and may be another processor. */
export class Vm {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #lines: string[] = [];
  #running = true;

  static start(options: VmOptions): Vm {
    return new Vm(options);
  }

  private constructor(options: VmOptions) {
    const { kernel, initrd, disk, cache, architecture, processors = 1, devices = [], append = "" } = options;
    const arm = architecture === "arm64";
    const cpu = options.cpu ?? (arm ? "max" : "qemu64");
    this.#child = spawn(
      qemuOf(architecture),
      [
        ...(arm ? ["-machine", "virt"] : []),
        ...["-cpu", cpu, "-accel", "tcg", "-smp", String(processors), "-m", "1024"],
        ...["-nographic", "-nic", "none", "-no-reboot", "-monitor", "none"],
        ...["-drive", `file=${disk},format=raw,if=virtio,cache=${cache}`, "-kernel", kernel, "-initrd", initrd],
        ...devices,
        ...[
          "-append",
          `root=/dev/vda rw console=${consoleOf(architecture)} quiet systemd.show_status=0 mitigations=off ${append}`,
        ],
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    let rest = "";
    const take = (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        options.onLine?.(line);
        this.#lines = [...this.#lines, line].slice(-KEPT_LINES);
      }
    };
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.setEncoding("utf8").on("data", take);
    const stop = () => this.#child.kill("SIGKILL");
    process.prependOnceListener("exit", stop);
    this.#ended = new Promise((resolve) => {
      const onEnd = () => {
        process.off("exit", stop);
        this.#running = false;
        resolve();
      };
      this.#child.once("exit", onEnd);
      this.#child.once("error", onEnd);
    });
  }

  get running(): boolean {
    return this.#running;
  }

  /** The last lines of the console. */
  get console(): string {
    return this.#lines.join("\n");
  }

  async until(what: string, holds: () => boolean, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!holds()) {
      if (!this.#running) throw new Error(`the machine ended before ${what}:\n${this.console}`);
      if (performance.now() > deadline) throw new Error(`never: ${what}; the console:\n${this.console}`);
      await delay(POLL_MS);
    }
  }

  /** As pulling the plug: nothing in the machine gets another turn. */
  async cut(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
