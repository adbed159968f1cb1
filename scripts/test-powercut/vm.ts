import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

export interface VmOptions {
  readonly kernel: string;
  readonly initrd: string;
  readonly disk: string;
  /** QEMU's cache mode of the disk: both lose what the guest has not flushed. */
  readonly cache: string;
  readonly onLine: (line: string) => void;
}

const KEPT_LINES = 40;
const POLL_MS = 50;

/** One boot of a virtual machine. Emulated (TCG) with one processor: with two the guest's own watchdog complains. */
export class Vm {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #lines: string[] = [];
  #running = true;

  static start(options: VmOptions): Vm {
    return new Vm(options);
  }

  private constructor({ kernel, initrd, disk, cache, onLine }: VmOptions) {
    const arm = process.arch === "arm64";
    const machine = arm ? ["-machine", "virt", "-cpu", "max"] : [];
    const console = arm ? "ttyAMA0" : "ttyS0";
    this.#child = spawn(
      `qemu-system-${arm ? "aarch64" : "x86_64"}`,
      [
        ...machine,
        ...["-accel", "tcg", "-smp", "1", "-m", "1024", "-nographic", "-nic", "none", "-no-reboot", "-monitor", "none"],
        ...["-drive", `file=${disk},format=raw,if=virtio,cache=${cache}`, "-kernel", kernel, "-initrd", initrd],
        ...[
          "-append",
          `root=/dev/vda rw console=${console} quiet systemd.unit=watch.target systemd.show_status=0 mitigations=off`,
        ],
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    let rest = "";
    const take = (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        onLine(line);
        this.#lines = [...this.#lines, line].slice(-KEPT_LINES);
      }
    };
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.setEncoding("utf8").on("data", take);
    this.#ended = new Promise((resolve) => {
      const onEnd = () => {
        this.#running = false;
        resolve();
      };
      this.#child.once("exit", onEnd);
      this.#child.once("error", onEnd);
    });
  }

  async until(what: string, holds: () => boolean, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!holds()) {
      if (!this.#running) throw new Error(`the machine ended before ${what}:\n${this.#lines.join("\n")}`);
      if (performance.now() > deadline) throw new Error(`never: ${what}; the console:\n${this.#lines.join("\n")}`);
      await delay(POLL_MS);
    }
  }

  /** As pulling the plug: nothing in the machine gets another turn. */
  async cut(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
