import { once } from "node:events";
import type { AddressInfo } from "node:net";
import tls, { type TLSSocket } from "node:tls";
import { systemClock } from "../../../agent/common/clock.ts";
import { systemRandom } from "../../../agent/common/random.ts";
import { type Platform, PlatformSigner, type SignatureKind } from "../../../agent/simulator/answers.ts";

/** One request has come in whole; what goes back is up to the test. */
export type Act = (socket: TLSSocket, peer: RawPeer) => void | Promise<void>;

export interface Wording {
  readonly status?: number;
  /** An object becomes JSON. */
  readonly body?: string | Buffer | object;
  /** Over the usual ones; undefined: left out. */
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined;
  /** Further header lines, as they stand. */
  readonly lines?: readonly string[];
  readonly sign?: SignatureKind;
  /** Unix seconds of the signature and of `Date`. */
  readonly signedAtS?: number;
}

/**
 * A WeChat Pay that speaks octets over TLS: for answers that no HTTP server would let itself be made to give. It reads requests
 * by `Content-Length` and knows nothing of who asks.
 */
export class RawPeer {
  readonly url: string;
  /** What becomes of the next requests. */
  act: Act = says();
  requests = 0;
  connections = 0;
  /** Octets that have left for the terminal, over all connections that have ended. */
  sent = 0;
  /** The authinfo of the last good answer. */
  authinfo = "";
  readonly #server: tls.Server;
  readonly #signer: PlatformSigner;
  readonly #sockets = new Set<TLSSocket>();

  private constructor(server: tls.Server, platform: Platform) {
    this.#server = server;
    this.#signer = new PlatformSigner(platform, systemRandom);
    this.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("secureConnection", (socket: TLSSocket) => this.#serve(socket));
  }

  static async start(material: { readonly cert: string; readonly key: string }, platform: Platform): Promise<RawPeer> {
    const server = tls.createServer({ ...material, ALPNProtocols: ["http/1.1"] });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new RawPeer(server, platform);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** A good answer with a new authinfo, or one that differs from it in the way that is told. */
  good(wording: Wording = {}): Buffer {
    this.authinfo = systemRandom.bytes(750).toString("base64");
    return this.answer({ body: { authinfo: this.authinfo, expires_in: 3600 }, ...wording });
  }

  answer(wording: Wording): Buffer {
    const { head, body } = this.parts(wording);
    return Buffer.concat([head, body]);
  }

  parts({ status = 200, body = "", headers = {}, lines = [], sign = "good", signedAtS }: Wording) {
    const octets =
      Buffer.isBuffer(body) || typeof body === "string" ? Buffer.from(body) : Buffer.from(JSON.stringify(body));
    const nowS = signedAtS ?? Math.floor(systemClock().wall() / 1000);
    const all: Record<string, string | undefined> = {
      Date: new Date(nowS * 1000).toUTCString(),
      "Content-Type": "application/json; charset=utf-8",
      "Content-Length": String(octets.length),
      ...this.#signer.headers(octets, nowS, sign),
      ...headers,
    };
    const named = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
    const text = [`HTTP/1.1 ${status} Some Words`, ...named, ...lines, "", ""].join("\r\n");
    return { head: Buffer.from(text, "latin1"), body: octets };
  }

  #serve(socket: TLSSocket): void {
    this.connections++;
    this.#sockets.add(socket);
    let pending = Buffer.alloc(0);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.sent += socket.bytesWritten;
    });
    socket.on("data", (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      for (let end = lengthOfFirst(pending); end !== undefined; end = lengthOfFirst(pending)) {
        pending = pending.subarray(end);
        this.requests++;
        void this.act(socket, this);
      }
    });
  }
}

/** A good answer, or one that differs from it in the way that is told. */
export function says(wording: Wording = {}): Act {
  return (socket, peer) => void socket.write(peer.good(wording));
}

/** How many octets the first request takes; undefined while it is not whole. */
function lengthOfFirst(octets: Buffer): number | undefined {
  const end = octets.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const length = Number(/^content-length: *(\d+)/im.exec(octets.subarray(0, end).toString("latin1"))?.[1] ?? 0);
  return octets.length < end + 4 + length ? undefined : end + 4 + length;
}

/** Writes until everything is out or the terminal has hung up. */
export async function pour(socket: TLSSocket, pieces: Iterable<Buffer>): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    if (!socket.write(piece)) {
      const moved = new AbortController();
      const options = { signal: moved.signal };
      await Promise.race([once(socket, "drain", options), once(socket, "close", options)]).catch(() => undefined);
      moved.abort();
    }
  }
}
