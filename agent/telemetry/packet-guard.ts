/** A broker that sends what no broker may send, or more than anybody needs. */
export class HostileBroker extends Error {
  readonly reason: "protocol" | "flood";

  constructor(reason: "protocol" | "flood") {
    super(reason);
    this.reason = reason;
  }
}

/** Of a packet that was passed over for its size. */
export interface SkippedPacket {
  readonly topic: string;
  readonly octets: number;
}

/** MQTT 3.1.1, 2.2.1. */
const CONNACK = 2;
const PUBLISH = 3;
const ANSWERS: ReadonlySet<number> = new Set([CONNACK, 4, 9, 13]);
/** Every packet but a PUBLISH has a few octets: two of an id, and one for each topic subscribed to. */
const LARGEST_ANSWER = 16;
const LARGEST_PUBLISH = 8 * 1024;
const LONGEST_TOPIC = 300;
const WINDOW_MS = 10_000;
/** Of one window: a fleet's broker sends a terminal a few packets an hour. */
const MOST_PACKETS = 300;
const MOST_OCTETS = 1024 * 1024;

/**
 * Stands between the socket and the MQTT library, which holds whatever a broker sends until a packet is complete (up to 256 MB). It lets
 * small packets through, passes over large messages without keeping them, and ends with `HostileBroker` what no honest broker does.
 * Everything is subscribed to with QoS 0, so that what is passed over is owed no answer.
 */
export class PacketGuard {
  readonly #onSkipped: (packet: SkippedPacket) => void;
  /** Octets of the fixed header so far. */
  #header: number[] = [];
  /** What is left of the packet under way. */
  #left = 0;
  #skipping: { octets: number; head: Buffer[]; kept: number } | undefined;
  #windowFrom = Number.NEGATIVE_INFINITY;
  #packets = 0;
  #octets = 0;

  constructor(onSkipped: (packet: SkippedPacket) => void) {
    this.#onSkipped = onSkipped;
  }

  /** What of `chunk` goes on to the library. Throws HostileBroker. */
  take(chunk: Buffer, nowMs: number): Buffer[] {
    if (nowMs - this.#windowFrom >= WINDOW_MS) {
      this.#windowFrom = nowMs;
      this.#packets = 0;
      this.#octets = 0;
    }
    this.#octets += chunk.length;
    if (this.#octets > MOST_OCTETS) throw new HostileBroker("flood");
    const passed: Buffer[] = [];
    for (let at = 0; at < chunk.length; ) {
      if (this.#left === 0) {
        const head = this.#begin(chunk[at++] ?? 0);
        if (head !== undefined) passed.push(head);
        continue;
      }
      const part = chunk.subarray(at, at + this.#left);
      at += part.length;
      this.#left -= part.length;
      if (this.#skipping === undefined) passed.push(part);
      else this.#skip(part);
    }
    return passed;
  }

  /** One octet of the fixed header; the whole of it when it is complete and its packet is let through. */
  #begin(octet: number): Buffer | undefined {
    this.#header.push(octet);
    const [first = 0, ...lengths] = this.#header;
    const type = first >> 4;
    if (lengths.length === 0) {
      // Of what was subscribed to with QoS 0 some brokers send retained messages with QoS 1 all the same; none sends them with 2.
      const isPublish = type === PUBLISH && (first & 0b0100) === 0;
      if (!isPublish && !ANSWERS.has(type)) throw new HostileBroker("protocol");
      return undefined;
    }
    if (octet >= 128) {
      if (lengths.length === 4) throw new HostileBroker("protocol");
      return undefined;
    }
    const octets = lengths.reduce((sum, part, index) => sum + (part & 127) * 128 ** index, 0);
    const header = Buffer.from(this.#header);
    this.#header = [];
    this.#packets++;
    if (this.#packets > MOST_PACKETS) throw new HostileBroker("flood");
    if (type !== PUBLISH && octets > LARGEST_ANSWER) throw new HostileBroker("protocol");
    this.#left = octets;
    if (octets <= LARGEST_PUBLISH) return header;
    this.#skipping = { octets, head: [], kept: 0 };
    return undefined;
  }

  #skip(part: Buffer): void {
    const skipping = this.#skipping;
    if (skipping === undefined) return;
    const wanted = part.subarray(0, Math.max(0, LONGEST_TOPIC + 2 - skipping.kept));
    // A copy: the chunk it is a part of may be large.
    if (wanted.length > 0) skipping.head.push(Buffer.from(wanted));
    skipping.kept += wanted.length;
    if (this.#left > 0) return;
    this.#skipping = undefined;
    const head = Buffer.concat(skipping.head);
    const topic = head.toString("utf8", 2, 2 + Math.min(head.readUInt16BE(0), LONGEST_TOPIC));
    this.#onSkipped({ topic, octets: skipping.octets });
  }
}
