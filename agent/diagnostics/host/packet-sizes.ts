import { once } from "node:events";
import { isIP, Socket } from "node:net";
import { connect } from "node:tls";
import type { LibraryHandle } from "koffi";
import { loadLibc } from "../../common/libc.ts";

/** A size of packet, and whether it came through: a whole exchange over TLS with segments that fit it was answered. */
export interface PacketReading {
  /** Octets of an IP packet; undefined: what the network cards agree on, as in any other connection. */
  readonly mtu: number | undefined;
  readonly answered: boolean;
}

/** Ethernet behind PPPoE with a VPN, the least of IPv6 (RFC 8200 section 5), the least that IPv4 hosts take (RFC 1122 section 3.3.2). */
const SIZES = [undefined, 1400, 1280, 576] as const;
/** IP and TCP headers without options. */
const HEADERS = { 4: 40, 6: 60 } as const;
const PROBE_MS = 4_000;
/** More than one full packet of Ethernet, so that what we send is tried, too. */
const FILLER = "0".repeat(3_000);

interface Calls {
  socket(domain: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, name: number, value: Buffer, length: number): number;
}
// <bits/socket.h> and <netinet/tcp.h>: the same numbers on x86_64 and arm64.
const [AF_INET, AF_INET6] = [2, 10];
const [SOCK_STREAM, SOCK_NONBLOCK, SOCK_CLOEXEC] = [0o1, 0o4000, 0o2000000];
const [IPPROTO_TCP, TCP_MAXSEG] = [6, 2];

const callsOf = (library: LibraryHandle): Calls => ({
  socket: library.func("int socket(int domain, int type, int protocol)"),
  setsockopt: library.func("int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)"),
});

/**
 * Asks one host at once with segments of several sizes. Both ends keep to the smaller maximum segment size (RFC 9293 section 3.7.1), so that
 * small ones pass where a router on the way drops large packets without a word and usual ones vanish. Sends an unsigned, harmless POST.
 * @param address numeric
 */
export async function probePacketSizes(
  { address, port, servername }: { readonly address: string; readonly port: number; readonly servername?: string },
  signal: AbortSignal,
): Promise<readonly PacketReading[]> {
  const libc = await loadLibc(callsOf);
  const family = isIP(address) === 6 ? 6 : 4;
  return await Promise.all(
    SIZES.map(async (mtu): Promise<PacketReading> => {
      const fd = libc.socket(family === 6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      if (fd < 0) return { mtu, answered: false };
      const plain = new Socket({ fd });
      if (mtu !== undefined) {
        const size = Buffer.alloc(4);
        size.writeInt32LE(mtu - HEADERS[family]);
        libc.setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, size, size.length);
      }
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)]);
      try {
        return { mtu, answered: await answers(plain, { address, port, servername }, deadline) };
      } finally {
        plain.destroy();
      }
    }),
  );
}

interface Peer {
  readonly address: string;
  readonly port: number;
  readonly servername: string | undefined;
}

/** Whether anything at all comes back to a request. Whose certificate it is does not matter: nothing of ours is in it. */
async function answers(plain: Socket, { address, port, servername }: Peer, signal: AbortSignal): Promise<boolean> {
  let secure: Socket | undefined;
  // What comes after the first answer is nobody's.
  plain.on("error", () => undefined);
  const failed = (socket: Socket) => once(socket, "error", { signal }).then(() => false);
  try {
    const connected = once(plain, "connect", { signal }).then(() => true);
    const refused = failed(plain);
    plain.connect(port, address);
    if (!(await Promise.race([connected, refused]))) return false;
    secure = connect({ socket: plain, rejectUnauthorized: false, ...(servername && { servername }) });
    const said = once(secure, "data", { signal }).then(() => true);
    const broken = failed(secure);
    secure.on("error", () => undefined);
    const body = JSON.stringify({ echo_message: FILLER });
    secure.write(
      `POST /v3/security/echo HTTP/1.1\r\nHost: ${servername ?? address}\r\nUser-Agent: facepay-agent\r\nAccept: application/json\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
    return await Promise.race([said, broken]);
  } catch {
    // The deadline.
    return false;
  } finally {
    // Above before below: see tls-inspector.ts.
    secure?.destroy();
  }
}
