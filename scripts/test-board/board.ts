import path from "node:path";
import { type Answer, API_SOCKET, eventually, type Machine } from "../test-machines/machine.ts";
import { Vm, type VmOptions } from "../test-machines/vm.ts";
import { ControlLine } from "./control-line.ts";
import { connect, Plug } from "./plug.ts";

export type BoardOptions = Pick<VmOptions, "kernel" | "initrd" | "disk" | "architecture" | "cpu"> & {
  /** Where QEMU's sockets are. */
  readonly directory: string;
  /** Whether the USB adapter is there from the start. */
  readonly plugged: boolean;
};

export const CONTROL_PORT = "facepay.control";
const BOOT_MS = 600_000;
const COMMAND_MS = 600_000;
const POLL_MS = 200;

/** One boot of a terminal: a virtual machine with a USB serial adapter (ftdi_sio) and a UART on PCI, and no network card. */
export class Board implements Machine {
  readonly adapter: Plug;
  readonly uart: Plug;
  readonly #vm: Vm;
  readonly #control: ControlLine;

  /** Resolves when programs can be run inside. */
  static async boot({ directory, plugged, ...options }: BoardOptions): Promise<Board> {
    const line = (id: string) => ["-chardev", `socket,id=${id},path=${path.join(directory, id)},server=on,wait=off`];
    const devices = [
      ...[...line("control"), "-device", "virtio-serial"],
      ...["-device", `virtserialport,chardev=control,name=${CONTROL_PORT}`],
      ...[...line("adapter"), "-device", "qemu-xhci", "-device", "usb-serial,chardev=adapter"],
      ...[...line("uart"), "-device", "pci-serial,chardev=uart"],
    ];
    const vm = Vm.start({ ...options, cache: "writeback", processors: 2, devices });
    try {
      const [adapter, uart] = [new Plug(path.join(directory, "adapter")), new Plug(path.join(directory, "uart"))];
      const control = new ControlLine(await connect(path.join(directory, "control"), 30_000));
      await uart.in();
      if (plugged) await adapter.in();
      await vm.until("the boot", () => control.up, BOOT_MS);
      return new Board(vm, control, adapter, uart);
    } catch (error) {
      await vm.cut();
      throw error;
    }
  }

  private constructor(vm: Vm, control: ControlLine, adapter: Plug, uart: Plug) {
    this.#vm = vm;
    this.#control = control;
    this.adapter = adapter;
    this.uart = uart;
  }

  async run(...command: readonly string[]): Promise<string> {
    const { code, stdout = "", stderr = "" } = await this.#control.ask({ run: command }, COMMAND_MS);
    if (code !== 0) throw new Error(`${command.join(" ")} failed (${code}): ${stdout}${stderr}`);
    return stdout.trim();
  }

  async get(target: string, socket = API_SOCKET, patienceMs = 120_000): Promise<Answer> {
    const get = { socket, target, patienceMs };
    const { status = 0, body = {}, error } = await this.#control.ask({ get }, patienceMs + 30_000);
    if (error !== undefined) throw new Error(error);
    return { status, body };
  }

  async until(what: string, holds: () => Promise<boolean>, withinMs = 300_000): Promise<void> {
    const running = () => this.#vm.running;
    await eventually(what, holds, { withinMs, pollMs: POLL_MS, running }, async () => {
      const journal = await this.#control.ask({ run: ["journalctl", "-n", "60", "--no-pager"] }, 60_000).catch(String);
      return `the console:\n${this.#vm.console}\n${typeof journal === "string" ? journal : journal.stdout}`;
    });
  }

  async cut(): Promise<void> {
    await this.#vm.cut();
    this.#control.close();
    await Promise.all([this.adapter.out(), this.uart.out()]);
  }
}
