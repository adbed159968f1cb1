import { randomBytes } from "node:crypto";
import net from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { crc32 } from "node:zlib";

type Facts = Record<string, unknown>;

/** Past the specification's 8192 octets, so that a bridge with this limit takes too much. */
const NO_LIMIT = 1 << 20;

/**
 * A bridge with the simulated SDK's manners that can be broken in one way at a time: `flaw` is the id of the case of the
 * conformance kit that must notice, or one of several ways to break the same. Whole of its own code, and as plain as can be.
 */
export class BreakableBridge {
  readonly flaw: string;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  #session = randomBytes(4).toString("hex");
  #hellos = 0;
  #answers = 0;
  #initialised = false;
  #outstanding = 0;
  #rawdata = "";
  #dead = false;

  constructor(flaw = "") {
    this.flaw = flaw;
    this.#server = net.createServer((socket) => this.#serve(socket));
  }

  async listen(path: string): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(path, resolve));
  }

  /** As switched off and on again. */
  restart(): void {
    this.#initialised = false;
    if (this.flaw !== "H08") this.#session = randomBytes(4).toString("hex");
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: net.Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => this.#sockets.delete(socket));
    if (this.flaw === "H04") this.#session = randomBytes(4).toString("hex");
    if (this.flaw === "S06") this.#initialised = false;
    if (this.flaw === "H09") socket.setTimeout(60, () => socket.destroy());
    let octets: number[] = [];
    let open = true;
    let noise = 0;
    socket.on("data", (chunk: Buffer) => {
      if (this.#dead) return;
      for (const octet of chunk) {
        if (octet !== 0x7e) {
          if (open) octets.push(octet);
          if (this.flaw === "F12" && octets.length > 10_000) this.#dead = true;
          continue;
        }
        const inner = octets;
        octets = [];
        if (this.flaw === "F06") open = !open || inner.length === 0;
        const payload = this.#unwrap(inner);
        if (payload === undefined) noise += inner.length;
        if (this.flaw === "F13" && noise > 500) this.#dead = true;
        if (payload !== undefined && !this.#dead) void this.#take(socket, payload);
      }
      // Takes what came in one piece for one frame.
      if (this.flaw === "F15") octets = [];
    });
  }

  #unwrap(inner: readonly number[]): Buffer | undefined {
    if (inner.length === 0) return this.flaw === "F07" ? Buffer.from("empty") : undefined;
    if (inner.at(-1) === 0x7d && this.flaw !== "F08") return undefined;
    const octets: number[] = [];
    for (let at = 0; at < inner.length; at++) {
      if (inner[at] !== 0x7d) octets.push(inner[at] ?? 0);
      else if (at + 1 < inner.length) {
        const escaped = inner[++at] ?? 0;
        if (this.flaw === "F05" && ![0x5e, 0x5d, 0x31, 0x33].includes(escaped)) return undefined;
        octets.push(escaped ^ 0x20);
      }
    }
    const all = Buffer.from(octets);
    const shortest = this.flaw === "F14" ? 4 : 5;
    if (all.length < shortest) return undefined;
    const payload = all.subarray(0, -4);
    const limit = { F10: 4096, F11: NO_LIMIT }[this.flaw] ?? 8192;
    if (payload.length > limit) return undefined;
    return crc32(payload) === all.readUInt32LE(payload.length) || this.flaw === "F09" ? payload : undefined;
  }

  #wrap(payload: Buffer): Buffer {
    const fcs = Buffer.alloc(4);
    if (this.flaw === "F02") fcs.writeUInt32BE(crc32(payload));
    else fcs.writeUInt32LE(crc32(payload));
    const special = { F03: [0x7d, 0x11, 0x13], F04: [0x7e, 0x7d] }[this.flaw] ?? [0x7e, 0x7d, 0x11, 0x13];
    const octets = [...payload, ...fcs].flatMap((octet) => (special.includes(octet) ? [0x7d, octet ^ 0x20] : [octet]));
    return Buffer.from([0x7e, ...octets, 0x7e]);
  }

  #send(socket: net.Socket, id: unknown, body: Facts): void {
    this.#answers++;
    if (this.flaw === "E01" && this.#answers % 137 === 0) return;
    const sent = this.flaw === "R04" && typeof id === "number" ? id | 0 : this.flaw === "id" ? String(id) : id;
    const message: Facts = { ...(this.flaw !== "R01" && { jsonrpc: "2.0" }), id: sent, ...body };
    if (this.flaw === "error" && !("error" in body)) message.error = null;
    let text = JSON.stringify(message);
    if (this.flaw === "NUL") text = `${text}\0`;
    if (this.flaw === "R02") text = `\ufeff${text}`;
    if (this.flaw === "F16") text = text.padEnd(9_000);
    if (this.flaw === "F01") socket.write(this.#wrap(Buffer.concat([Buffer.of(0xff, 0x03), Buffer.from(text)])));
    else this.#write(socket, text);
    if (this.flaw === "R05") this.#write(socket, text);
  }

  #write(socket: net.Socket, text: string): void {
    if (socket.writable) socket.write(this.#wrap(Buffer.from(text)));
  }

  async #take(socket: net.Socket, payload: Buffer): Promise<void> {
    const text = payload.toString();
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      if (this.flaw === "R08") socket.destroy();
      else this.#send(socket, null, { error: { code: -32700, message: "Parse error" } });
      return;
    }
    if (Array.isArray(value)) {
      if (this.flaw === "R07") for (const one of value) await this.#take(socket, Buffer.from(JSON.stringify(one)));
      return;
    }
    if (typeof value !== "object" || value === null) return;
    const { id, method, params = {} } = value as { id?: unknown; method?: string; params?: Facts };
    if (this.flaw === "R10" && !text.startsWith('{"jsonrpc":"2.0","id":')) return;
    if (this.flaw === "R03" && /[^\x20-\x7e]/.test(text)) {
      return this.#send(socket, id, { error: { code: -32600, message: "not ASCII" } });
    }
    if (method === undefined) {
      if (this.flaw === "R09") this.#send(socket, null, { error: { code: -32600, message: "Invalid Request" } });
      return;
    }
    if (method === "hello") return await this.#hello(socket, id);
    if (method === "call") return await this.#call(socket, id, params, text);
    if (this.flaw === "R06") return this.#send(socket, id, { result: null });
    this.#send(socket, id, { error: { code: -32601, message: "Method not found" } });
  }

  async #hello(socket: net.Socket, id: unknown): Promise<void> {
    this.#hellos++;
    if (this.flaw === "H10") await delay(400);
    const different = (flaw: string, value: string) => (this.flaw === flaw ? `${value}-${this.#hellos}` : value);
    this.#send(socket, id, {
      result: {
        protocol: this.flaw === "H01" ? "2.0" : "1.0",
        bridge: this.flaw === "H02" ? "breakable" : "breakable/1",
        session: different("H03", this.#session),
        device_id: this.flaw === "H05" ? "x".repeat(33) : "SN-1",
        net_id: different("H06", "eth0"),
        sdk_version: this.flaw === "H07" ? 2 : "2.32.300",
      },
    });
  }

  async #call(socket: net.Socket, id: unknown, params: Facts, text: string): Promise<void> {
    const fail = (code: number, message: string, data?: unknown) =>
      this.#send(socket, id, { error: { code, message, ...(data !== undefined && { data }) } });
    const [simulate, number] = String(params.simulate ?? "").split(" ");
    switch (simulate) {
      case "status":
        return fail(-32000, "native", this.flaw === "S07" ? undefined : { status: Number(number) });
      case "huge":
        return this.flaw === "S09" ? undefined : fail(-32004, "too large");
      case "text":
      case "garbage":
      case "empty":
        return this.flaw === "S10"
          ? this.#write(socket, `{"jsonrpc":"2.0","id":${String(id)},"result":OK}`)
          : fail(-32004, "no JSON");
      case "crash":
      case "hang":
        this.#initialised = false;
        if (this.flaw !== "S11" && simulate === "crash") this.#session = randomBytes(4).toString("hex");
        if (simulate === "hang") this.#session = randomBytes(4).toString("hex");
        if (this.flaw === "S12" && simulate === "hang") return;
        return fail(-32002, "the SDK has gone");
    }
    if (params.cmd === "simulatedEcho") {
      const request = text.slice(text.indexOf('"params":') + 9, -1);
      const echoed = this.flaw === "S08" ? JSON.stringify(JSON.parse(request)) : request;
      return this.#write(
        socket,
        `{"jsonrpc":"2.0","id":${String(id)},"result":{"return_code":"SUCCESS","request":${echoed}}}`,
      );
    }
    const answer = this.#sdk(params);
    if (this.flaw === "S04" && answer.return_code !== "SUCCESS") return fail(-32603, "the SDK refused");
    this.#send(socket, id, { result: this.flaw === "S01" ? JSON.stringify(answer) : answer });
  }

  #sdk({ cmd, remark }: Facts): Facts {
    if (this.flaw === "S13") this.#outstanding++;
    // Counts characters and hands the SDK too few octets: it sees a request that is cut off.
    if (this.flaw === "S05" && remark !== undefined) return { return_code: "PARAM_ERROR", return_msg: "请求不是JSON" };
    if (cmd === "simulatedSdk") return { return_code: "SUCCESS", outstanding: this.#outstanding };
    if (cmd === "") return { return_code: "PARAM_ERROR", return_msg: "cmd不能为空" };
    if (cmd === "initWxpayface") this.#initialised = true;
    if (!this.#initialised) return { return_code: "FAIL", return_msg: "刷脸服务未初始化", err_code: 271378620 };
    if (cmd !== "getWxpayfaceRawdata") return { return_code: "SUCCESS", return_msg: "" };
    const fresh = `${this.flaw === "S02" ? "a b " : "a+b/"}${randomBytes(30).toString("base64")}`;
    if (this.flaw !== "S03" || this.#rawdata === "") this.#rawdata = fresh;
    return { return_code: "SUCCESS", return_msg: "", rawdata: this.#rawdata };
  }
}
