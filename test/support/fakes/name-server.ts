import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import net from "node:net";

const A = 1;
const AAAA = 28;
const SERVFAIL = 2;
const NXDOMAIN = 3;

/** What the name server says to every question: addresses, an error code, or nothing. */
export type NameAnswer =
  | { readonly a?: readonly string[]; readonly aaaa?: readonly string[] }
  | "NXDOMAIN"
  | "SERVFAIL"
  | "silence";

/** A name server on UDP port 53 (RFC 1035), as much of it as getaddrinfo needs. Its answers may not be kept. */
export class NameServer implements AsyncDisposable {
  answer: NameAnswer = "NXDOMAIN";
  questions = 0;
  readonly #socket: UdpSocket = createSocket("udp4");

  private constructor() {
    this.#socket.on("message", (query, from) => this.#receive(query, from));
  }

  /** Needs the right to a port below 1024. */
  static async open(address: string): Promise<NameServer> {
    const server = new NameServer();
    server.#socket.bind(53, address);
    await once(server.#socket, "listening");
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }

  #receive(query: Buffer, from: RemoteInfo): void {
    this.questions++;
    if (this.answer === "silence") return;
    const reply = respond(query, this.answer);
    this.#socket.send(reply, from.port, from.address);
  }
}

function respond(query: Buffer, answer: Exclude<NameAnswer, "silence">): Buffer {
  // The question is a name (labels up to an empty one), its type and its class.
  const end = query.indexOf(0, 12) + 5;
  const type = query.readUInt16BE(end - 4);
  const code = answer === "NXDOMAIN" ? NXDOMAIN : answer === "SERVFAIL" ? SERVFAIL : 0;
  const { a = [], aaaa = [] } = typeof answer === "string" ? {} : answer;
  const addresses = type === A ? a.map(octets4) : type === AAAA ? aaaa.map(octets6) : [];
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2);
  // A response, recursion desired and available.
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((octets) => {
    const record = Buffer.alloc(12);
    // The name of the question, by a pointer to it.
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt16BE(octets.length, 10);
    return Buffer.concat([record, octets]);
  });
  return Buffer.concat([head, query.subarray(12, end), ...records]);
}

function octets4(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}

/** Only "::n". */
function octets6(address: string): Buffer {
  if (!net.isIPv6(address) || !address.startsWith("::")) throw new Error(`${address}: no address of this kind`);
  const octets = Buffer.alloc(16);
  octets.writeUInt16BE(Number.parseInt(address.slice(2), 16), 14);
  return octets;
}
