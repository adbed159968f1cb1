import net from "node:net";
import { systemClock } from "../../../agent/common/clock.ts";
import { systemRandom } from "../../../agent/common/random.ts";
import { openPage, type PageDeps, type PageServer } from "../../../agent/page/page-server.ts";
import type { PageView } from "../../../agent/page/page-view.ts";
import { viewOf } from "./page-views.ts";

export interface PageAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

type Changes = Partial<Omit<PageDeps, "view">> & { readonly view?: () => Promise<PageView> };

/** A page that is served for real on a port of its own, and what it was asked to do. */
export class PageRig {
  readonly server: PageServer;
  readonly pressed: string[];
  readonly failures: unknown[];
  /** "127.0.0.1:43211" */
  readonly authority: string;
  #cookie = "";
  #root = "";

  private constructor(server: PageServer, pressed: string[], failures: unknown[]) {
    this.server = server;
    this.pressed = pressed;
    this.failures = failures;
    this.authority = new URL(server.link).host;
  }

  static async open(changes: Changes = {}): Promise<PageRig> {
    const pressed: string[] = [];
    const failures: unknown[] = [];
    const server = await openPage(
      { host: "127.0.0.1", port: 0 },
      {
        language: "en",
        view: async () => viewOf("healthy"),
        act: { refresh: () => void pressed.push("refresh"), diagnose: () => void pressed.push("diagnose") },
        bundle: async () => ({ name: "facepay-T11M-TD7W.tar.gz", archive: Buffer.from([0x1f, 0x8b, 0, 255]) }),
        failed: (error) => void failures.push(error),
        clock: systemClock(),
        random: systemRandom,
        ...changes,
      },
    );
    return new PageRig(server, pressed, failures);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
  }

  /** Path of the link. */
  get link(): string {
    return new URL(this.server.link).pathname;
  }

  /** Path below which the page lies; known after the link has been used. */
  get root(): string {
    return this.#root;
  }

  get cookie(): string {
    return this.#cookie;
  }

  /** Uses the link, as a browser does. */
  async enter(): Promise<void> {
    const { status, headers } = await this.request("GET", this.link);
    if (status !== 303) throw new Error(`the link was refused: ${status}`);
    this.#root = (headers.get("location") ?? "").split("?")[0] ?? "";
    this.#cookie = (headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  }

  /** The headers of the browser that has used the link. */
  get own(): Record<string, string> {
    return { Cookie: this.#cookie };
  }

  async csrf(): Promise<string> {
    const { text } = await this.request("GET", this.#root, this.own);
    return /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? "";
  }

  form(fields: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) {
    const type = { "Content-Type": "application/x-www-form-urlencoded" };
    return [
      { ...this.own, Origin: `http://${this.authority}`, ...type, ...headers },
      new URLSearchParams(fields).toString(),
    ] as const;
  }

  /** One request on a connection of its own, as these octets. */
  async request(
    method: string,
    target: string,
    headers: Readonly<Record<string, string>> = {},
    body = "",
  ): Promise<PageAnswer> {
    const all = {
      ...{ Host: this.authority, Connection: "close" },
      ...(body === "" ? {} : { "Content-Length": String(Buffer.byteLength(body)) }),
      ...headers,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    return answerOf(await this.raw(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n${body}`));
  }

  /** Sends octets as they are and returns what comes until the server closes. */
  raw(octets: string | Buffer, deadlineMs = 60_000): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = this.connect();
      let text = "";
      const deadline = setTimeout(() => {
        socket.destroy();
        reject(new Error(`still open after ${deadlineMs} ms; so far: ${text.slice(0, 500)}`));
      }, deadlineMs);
      socket.setEncoding("utf8");
      socket.on("data", (chunk) => {
        text += chunk;
      });
      // A reset after the answer is a close like any other.
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        clearTimeout(deadline);
        resolve(text);
      });
      socket.write(octets);
    });
  }

  connect(): net.Socket {
    return net.connect(this.server.port, "127.0.0.1");
  }
}

export function answerOf(raw: string): PageAnswer {
  const [head = "", ...body] = raw.split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const headers = new Headers(
    lines.map(
      (line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()] as [string, string],
    ),
  );
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? 0), headers, text: body.join("\r\n\r\n") };
}
