import http from "node:http";
import type { Socket } from "node:net";
import { connect, getCACertificates, type TLSSocket } from "node:tls";
import { systemCode } from "../../common/errors.ts";
import { dateMs } from "../headers.ts";

/** How a server shows itself over TLS, whether or not it is to be believed. */
export interface Inspection {
  /** Common name or organisation, bounded and printable. */
  readonly issuer: string;
  readonly subject: string;
  readonly validFromMs: number;
  readonly validToMs: number;
  /** Why the certificate is not trusted, in OpenSSL's code; undefined when it is. */
  readonly distrust?: string;
  /** `Date` of an answer, read only when nothing but the certificate's dates speaks against it. */
  readonly dateMs?: number;
}

export interface InspectOptions {
  readonly url: URL;
  /** An extra root, PEM. */
  readonly ca?: string | undefined;
  /** `http://host:port`. */
  readonly proxy?: string | undefined;
  /** `user:password`. */
  readonly proxyAuth?: string | undefined;
}

const LONGEST_HEAD = 16 * 1024;
/** Told by the dates alone: OpenSSL has found the chain good before it looks at them. */
const BY_DATE_ONLY = new Set(["CERT_NOT_YET_VALID", "CERT_HAS_EXPIRED"]);

/**
 * Shakes hands without judging, to be able to say who answered when the judgement was bad. Nothing of ours is sent: no
 * credentials, no certificate, at most a HEAD to learn the time. Undefined when there is no handshake before the signal.
 */
export async function inspectTls(options: InspectOptions, signal: AbortSignal): Promise<Inspection | undefined> {
  const { url, ca, proxy } = options;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const opened: Socket[] = [];
  const destroy = () => {
    // The TLS socket before the tunnel beneath it: Node 24 ends with a segmentation fault when the lower one goes first in the
    // very turn of the handshake.
    for (const socket of opened.toReversed()) socket.destroy();
  };
  signal.addEventListener("abort", destroy, { once: true });
  try {
    signal.throwIfAborted();
    const tunnel = proxy === undefined ? undefined : await openTunnel(proxy, options, signal);
    if (tunnel !== undefined) opened.push(tunnel);
    const socket = connect({
      ...(tunnel === undefined ? { host, port: Number(url.port || 443) } : { socket: tunnel }),
      ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
      ca: [...getCACertificates("bundled"), ...(ca === undefined ? [] : [ca])],
      rejectUnauthorized: false,
      minVersion: "TLSv1.2",
    });
    opened.push(socket);
    await event(socket, "secureConnect");
    const seen = describe(socket);
    if (seen === undefined || !BY_DATE_ONLY.has(seen.distrust ?? "")) return seen;
    const date = await askDate(socket, url.host).catch(() => undefined);
    return date === undefined ? seen : { ...seen, dateMs: date };
  } catch {
    // The caller already knows that the connection is bad; there is nothing to add.
    return undefined;
  } finally {
    signal.removeEventListener("abort", destroy);
    destroy();
  }
}

function describe(socket: TLSSocket): Inspection | undefined {
  const certificate = socket.getPeerCertificate();
  if (certificate.issuer === undefined) return undefined;
  // The type says Error, the value is OpenSSL's code.
  const reason: unknown = socket.authorizationError;
  const distrust = typeof reason === "string" ? reason : systemCode(reason);
  return {
    issuer: nameOf(certificate.issuer),
    subject: nameOf(certificate.subject),
    validFromMs: Date.parse(certificate.valid_from),
    validToMs: Date.parse(certificate.valid_to),
    ...(distrust === undefined ? {} : { distrust }),
  };
}

function nameOf(name: { readonly CN?: string | string[]; readonly O?: string | string[] }): string {
  const words = [...new Set([name.CN, name.O].flat().filter((word) => word !== undefined))].join(", ");
  return words.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ").slice(0, 120) || "?";
}

/** The headers of one answer to `HEAD /`, of which only `Date` is read. */
async function askDate(socket: TLSSocket, host: string): Promise<number | undefined> {
  const read = Promise.withResolvers<string>();
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
    if (text.includes("\r\n\r\n") || text.length > LONGEST_HEAD) read.resolve(text);
  });
  socket.once("close", () => read.resolve(text));
  socket.write(`HEAD / HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: facepay-agent\r\nConnection: close\r\n\r\n`);
  const [, date] = /^date:[ \t]*([^\r\n]*?)[ \t]*\r?$/im.exec(await read.promise) ?? [];
  return dateMs({ date });
}

function openTunnel(proxy: string, { url, proxyAuth }: InspectOptions, signal: AbortSignal): Promise<Socket> {
  const { hostname, port } = new URL(proxy);
  const path = `${url.hostname}:${url.port || 443}`;
  const token = proxyAuth === undefined ? undefined : Buffer.from(proxyAuth).toString("base64");
  const headers = { Host: path, ...(token === undefined ? {} : { "Proxy-Authorization": `Basic ${token}` }) };
  return new Promise((resolve, reject) => {
    const request = http.request({
      host: hostname,
      port: port || 80,
      method: "CONNECT",
      path,
      headers,
      agent: false,
      signal,
    });
    request.on("error", reject);
    request.on("response", () => request.destroy(new Error("no tunnel")));
    request.on("connect", (response, socket) => {
      if (response.statusCode === 200) resolve(socket as Socket);
      else socket.destroy(new Error("no tunnel"));
      if (response.statusCode !== 200) reject(new Error("no tunnel"));
    });
    request.end();
  });
}

function event(socket: TLSSocket, name: "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(name, resolve);
    socket.on("error", reject);
    socket.once("close", () => reject(new Error("closed")));
  });
}
