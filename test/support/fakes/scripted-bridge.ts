import { type Duplex, duplexPair } from "node:stream";
import { crc32 } from "node:zlib";

/** One call as the bridge received it. */
export interface ReceivedCall {
  readonly id: number;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

/** What the bridge does with a call. `undefined` from a script means: answer as a healthy bridge. */
export type Reply =
  | { readonly result: unknown }
  | { readonly error: { code: number; message: string; data?: unknown } }
  | { readonly octets: Buffer }
  | "silence";

/**
 * The peer in the tests of the driver: answers like a healthy bridge unless a script says otherwise. Its framing is its
 * own and as plain as can be, so that a mistake of the agent's cannot hide in it.
 */
export class ScriptedBridge {
  hello: Record<string, unknown> = {
    protocol: "1.0",
    bridge: "scripted/1",
    session: "session-1",
    device_id: "DEVICE-1",
    net_id: "net-1",
    sdk_version: "2.32.300",
  };
  rawdata = Buffer.from("a raw data that is long enough").toString("base64");
  script: (call: ReceivedCall) => Reply | Promise<Reply> | undefined = () => undefined;
  /** Refuses the next openings with this. */
  openError: Error | undefined;
  readonly calls: ReceivedCall[] = [];
  /** Everything that came in on the present line. */
  received = Buffer.alloc(0);
  opened = 0;
  closed = 0;
  /** Most calls that were being worked on at one time. */
  mostInFlight = 0;
  #inFlight = 0;
  #far: Duplex | undefined;
  #rest = Buffer.alloc(0);

  /** An OpenStream. */
  readonly open = async () => {
    if (this.openError) throw this.openError;
    const [near, far] = duplexPair();
    this.opened++;
    this.attach(far);
    return {
      stream: near,
      path: `/dev/scripted${this.opened}`,
      close: async () => {
        this.closed++;
        near.destroy();
        far.destroy();
      },
    };
  };

  /** Listens on a line of the test's own making. */
  attach(far: Duplex): void {
    this.#far = far;
    this.#rest = Buffer.alloc(0);
    this.received = Buffer.alloc(0);
    this.#inFlight = 0;
    far.on("data", (chunk: Buffer) => this.#receive(chunk));
    far.on("error", () => undefined);
  }

  /** The names of the SDK's commands and the other methods, in the order they came. */
  get said(): string[] {
    return this.calls.map(({ method, params }) => (method === "call" ? String(params.cmd) : method));
  }

  /** The cable is pulled. */
  unplug(): void {
    this.#far?.end();
    this.#far?.destroy();
    this.#far = undefined;
  }

  send(octets: Uint8Array): void {
    this.#far?.write(octets);
  }

  answer(id: unknown, body: { result: unknown } | { error: unknown }): void {
    this.send(wrap(JSON.stringify({ jsonrpc: "2.0", id, ...body })));
  }

  #receive(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const flag = this.#rest.indexOf(0x7e);
      if (flag === -1) return;
      const inner = this.#rest.subarray(0, flag);
      this.#rest = this.#rest.subarray(flag + 1);
      if (inner.length > 0) void this.#take(JSON.parse(unwrap(inner)) as ReceivedCall);
    }
  }

  async #take(call: ReceivedCall): Promise<void> {
    this.calls.push(call);
    this.mostInFlight = Math.max(this.mostInFlight, ++this.#inFlight);
    const far = this.#far;
    const reply = (await this.script(call)) ?? this.#healthy(call);
    this.#inFlight--;
    if (reply === "silence") return;
    if (far !== this.#far) return;
    if ("octets" in reply) this.send(reply.octets);
    else this.answer(call.id, reply);
  }

  #healthy({ method, params }: ReceivedCall): Reply {
    if (method === "hello") return { result: this.hello };
    if (method !== "call") return { error: { code: -32601, message: "Method not found" } };
    const success = { return_code: "SUCCESS", return_msg: "" };
    return { result: params.cmd === "getWxpayfaceRawdata" ? { ...success, rawdata: this.rawdata } : success };
  }
}

/** One frame by the letter of specification 3. */
export function wrap(payload: string | Uint8Array): Buffer {
  const body = Buffer.from(payload);
  const fcs = Buffer.alloc(4);
  fcs.writeUInt32LE(crc32(body));
  const octets = [...body, ...fcs].flatMap((o) => ([0x7e, 0x7d, 0x11, 0x13].includes(o) ? [0x7d, o ^ 0x20] : [o]));
  return Buffer.from([0x7e, ...octets, 0x7e]);
}

function unwrap(inner: Buffer): string {
  const octets: number[] = [];
  for (let at = 0; at < inner.length; at++) {
    octets.push(inner[at] === 0x7d ? Number(inner[++at]) ^ 0x20 : Number(inner[at]));
  }
  const all = Buffer.from(octets);
  const body = all.subarray(0, -4);
  if (crc32(body) !== all.readUInt32LE(body.length)) throw new Error("the agent sent a frame with a wrong FCS");
  return body.toString();
}
