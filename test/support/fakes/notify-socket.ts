import { closeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import koffi from "koffi";

// A service manager's end of sd_notify(3): a datagram socket of the unix kind, which Node itself has not.
const libc = koffi.load("libc.so.6");
const socket = libc.func("int socket(int domain, int type, int protocol)");
const bind = libc.func("int bind(int fd, const uint8_t *address, uint32_t octets)");
const recv = libc.func("long recv(int fd, _Out_ uint8_t *buffer, size_t length, int flags)");

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 0o2000002;
const MSG_DONTWAIT = 0x40;
const POLL_MS = 5;

export interface Notice {
  readonly atMs: number;
  readonly text: string;
}

/** Takes notes of every datagram, in order, with the time of its arrival. */
export class NotifySocket implements AsyncDisposable {
  readonly notices: Notice[] = [];
  readonly #fd: number;
  #reading = true;

  /** @param address a path, or "@name" for the abstract namespace; `reading: false` lets the queue fill up */
  constructor(address: string, options: { readonly reading?: boolean } = {}) {
    this.#fd = socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
    const name = address.startsWith("@") ? `\0${address.slice(1)}` : `${address}\0`;
    const bytes = Buffer.concat([Buffer.from(new Uint16Array([AF_UNIX]).buffer), Buffer.from(name)]);
    if (bind(this.#fd, bytes, bytes.length) !== 0) throw new Error(`bind ${address}: errno ${koffi.errno()}`);
    this.#reading = options.reading ?? true;
    void this.#poll();
  }

  /** Reads from now on what has been waiting. */
  read(): void {
    this.#reading = true;
  }

  get texts(): string[] {
    return this.notices.map(({ text }) => text);
  }

  /** Every assignment of one variable, in order: `values("STATUS")`. */
  values(name: string): string[] {
    const lines = this.texts.flatMap((text) => text.split("\n"));
    return lines.filter((line) => line.startsWith(`${name}=`)).map((line) => line.slice(name.length + 1));
  }

  async until(what: string, holds: () => boolean, withinMs = 60_000): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!holds()) {
      if (performance.now() > deadline) throw new Error(`never: ${what}; notices: ${JSON.stringify(this.texts)}`);
      await delay(POLL_MS);
    }
  }

  async #poll(): Promise<void> {
    const buffer = Buffer.alloc(4_096);
    for (; !this.#closed; await delay(POLL_MS)) {
      if (!this.#reading) continue;
      for (let length = 0; ; ) {
        length = Number(recv(this.#fd, buffer, buffer.length, MSG_DONTWAIT));
        if (length < 0) break;
        this.notices.push({ atMs: performance.now(), text: buffer.toString("utf8", 0, length) });
      }
    }
    closeSync(this.#fd);
  }

  #closed = false;

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await delay(2 * POLL_MS);
  }
}
