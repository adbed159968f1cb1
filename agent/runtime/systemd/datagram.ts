import { closeSync } from "node:fs";
import { getSystemErrorName } from "node:util";
import type { LibraryHandle } from "koffi";
import { loadLibc } from "../../common/libc.ts";

/** A way to send single datagrams to one unix socket. */
export interface Datagrams {
  /** Never waits. "sent", "full" when the receiver's queue is, else the system's error code. */
  send(text: string): "sent" | "full" | string;
  close(): void;
}

interface Calls {
  socket(domain: number, type: number, protocol: number): number;
  sendto(fd: number, text: Buffer, length: number, flags: number, address: Buffer, octets: number): number;
}

// The same numbers on x86_64 and arm64.
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

/**
 * Node has no datagram socket of the unix kind (nodejs/node#29339), so libc's own calls are used. Not libsystemd: that
 * would map five more libraries for one call. The address is looked up at every datagram, as its socket may be made anew.
 */
export async function openDatagrams(address: string): Promise<Datagrams> {
  const c = await loadLibc(callsOf);
  const fd = c.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new Error(`socket: ${getSystemErrorName(-c.errno())}`);
  const target = socketAddress(address);
  return {
    send(text) {
      const bytes = Buffer.from(text, "utf8");
      if (c.sendto(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, target, target.length) >= 0) return "sent";
      const code = getSystemErrorName(-c.errno());
      return code === "EAGAIN" || code === "ENOBUFS" ? "full" : code;
    },
    close: () => closeSync(fd),
  };
}

/** `struct sockaddr_un`: the family, then the path with its final zero, or a zero and the abstract name. */
function socketAddress(address: string): Buffer {
  const family = Buffer.alloc(2);
  new Uint16Array(family.buffer, family.byteOffset, 1)[0] = AF_UNIX;
  const abstract = address.startsWith("@");
  const name = abstract ? `\0${address.slice(1)}` : `${address}\0`;
  return Buffer.concat([family, Buffer.from(name, "utf8")]);
}

function callsOf(library: LibraryHandle): Calls {
  return {
    socket: library.func("int socket(int domain, int type, int protocol)"),
    sendto: library.func(
      "long sendto(int fd, const uint8_t *text, size_t length, int flags, const uint8_t *address, uint32_t octets)",
    ),
  };
}
