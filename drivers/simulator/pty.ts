import fs from "node:fs";
import { Duplex } from "node:stream";
import tty from "node:tty";
import { getSystemErrorMap } from "node:util";
import type { LibraryHandle } from "koffi";
import { loadLibc } from "../../agent/common/libc.ts";

/** A pseudo-terminal: the agent opens `path` as its serial port, the simulator speaks on `stream`. */
export interface Pty {
  /** The slave device, "/dev/pts/N". */
  readonly path: string;
  /** The link that was asked for: a name that outlives an unplug, as /dev/serial/by-id does. */
  readonly link?: string;
  readonly stream: Duplex;
  /** Closes the master, which is what pulling the cable looks like to the agent, and removes the link. May be repeated. */
  unplug(): void;
}

// <bits/fcntl-linux.h>. The same numbers on x86_64 and arm64. Close-on-exec matters: a child that inherits the master
// would keep the line alive after the unplug.
const O_RDWR = 0o2;
const O_NOCTTY = 0o400;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const TCSANOW = 0;
/** `struct termios` takes 60 octets with glibc and with musl. */
const TERMIOS_OCTETS = 128;
const NAME_OCTETS = 128;

interface Calls {
  posix_openpt(flags: number): number;
  grantpt(fd: number): number;
  unlockpt(fd: number): number;
  ptsname_r(fd: number, name: Buffer, length: number): number;
  tcgetattr(fd: number, termios: Buffer): number;
  cfmakeraw(termios: Buffer): void;
  tcsetattr(fd: number, when: number, termios: Buffer): number;
}

type Libc = Calls & { errno(): number };

let libc: Promise<Libc> | undefined;

/**
 * Opens a pseudo-terminal in raw mode. `link` is a path at which a symbolic link to the device is put; a link left there
 * by an earlier run is replaced, anything else is not. Throws an Error with the call and the system's words.
 */
export async function openPty(options: { readonly link?: string } = {}): Promise<Pty> {
  libc ??= loadLibc(callsOf);
  const c = await libc;
  const master = check(c, "posix_openpt", c.posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  let slave: number | undefined;
  try {
    check(c, "grantpt", c.grantpt(master));
    check(c, "unlockpt", c.unlockpt(master));
    const name = Buffer.alloc(NAME_OCTETS);
    const failed = c.ptsname_r(master, name, name.length);
    if (failed !== 0) throw new Error(`ptsname_r: ${describe(failed)}`);
    const path = name.toString("latin1", 0, name.indexOf(0));
    // Held open all the time: else the master reads EIO whenever no process has the device open.
    const held = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NOCTTY);
    slave = held;
    const termios = Buffer.alloc(TERMIOS_OCTETS);
    check(c, "tcgetattr", c.tcgetattr(held, termios));
    c.cfmakeraw(termios);
    check(c, "tcsetattr", c.tcsetattr(held, TCSANOW, termios));
    if (options.link !== undefined) replaceLink(path, options.link);
    return wrap(master, held, path, options.link);
  } catch (error) {
    if (slave !== undefined) fs.closeSync(slave);
    fs.closeSync(master);
    throw error;
  }
}

/** How long to leave a full line alone before the rest is tried; the kernel takes 4 KB at a time. */
const FULL_LINE_MS = 2;

/**
 * The master end. libuv reads it by epoll but writes to it blocking, since it cannot reopen a master: without a reader of the
 * device, one long answer would stop this whole process. So writes go past libuv, and wait when the line is full.
 */
class MasterStream extends Duplex {
  readonly #fd: number;
  readonly #reader: tty.ReadStream;
  #later: NodeJS.Timeout | undefined;

  constructor(fd: number) {
    super();
    this.#fd = fd;
    this.#reader = new tty.ReadStream(fd);
    this.#reader.on("data", (chunk) => {
      if (!this.push(chunk)) this.#reader.pause();
    });
    this.#reader.on("error", (error) => this.destroy(error));
    this.#reader.on("close", () => this.destroy());
    this.#reader.pause();
  }

  override _read(): void {
    this.#reader.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    let written = 0;
    const more = () => {
      if (this.destroyed) return;
      try {
        written += fs.writeSync(this.#fd, chunk, written);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return done(error as Error);
      }
      if (written === chunk.length) done();
      else this.#later = setTimeout(more, FULL_LINE_MS);
    };
    more();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#later);
    this.#reader.destroy();
    done(error);
  }
}

function wrap(master: number, held: number, path: string, link: string | undefined): Pty {
  const stream = new MasterStream(master);
  let plugged = true;
  const unplug = () => {
    if (!plugged) return;
    plugged = false;
    if (link !== undefined) removeLink(link, path);
    stream.destroy();
    fs.closeSync(held);
  };
  // However the stream ends, the device must not linger.
  stream.once("close", unplug);
  return { path, stream, unplug, ...(link === undefined ? {} : { link }) };
}

function replaceLink(path: string, link: string): void {
  if (fs.lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) fs.unlinkSync(link);
  fs.symlinkSync(path, link);
}

/** Only our own link: a new pseudo-terminal may have taken the name meanwhile. */
function removeLink(link: string, path: string): void {
  const stat = fs.lstatSync(link, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink() && fs.readlinkSync(link) === path) fs.unlinkSync(link);
}

function callsOf(library: LibraryHandle): Calls {
  return {
    posix_openpt: library.func("int posix_openpt(int flags)"),
    grantpt: library.func("int grantpt(int fd)"),
    unlockpt: library.func("int unlockpt(int fd)"),
    ptsname_r: library.func("int ptsname_r(int fd, _Out_ char *name, size_t length)"),
    tcgetattr: library.func("int tcgetattr(int fd, _Out_ uint8_t *termios)"),
    cfmakeraw: library.func("void cfmakeraw(_Inout_ uint8_t *termios)"),
    tcsetattr: library.func("int tcsetattr(int fd, int when, const uint8_t *termios)"),
  };
}

function check(c: Libc, call: string, result: number): number {
  if (result < 0) throw new Error(`${call}: ${describe(c.errno())}`);
  return result;
}

function describe(errno: number): string {
  const [code, words] = getSystemErrorMap().get(-errno) ?? ["unknown", "unknown error"];
  return `${code} (${words}, errno ${errno})`;
}
