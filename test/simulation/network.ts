import type {
  HttpAnswer,
  HttpRequest,
  Transport,
  TransportOptions,
} from "../../agent/wechatpay/transport/transport.ts";
import type { Chance } from "../support/faults/seeded.ts";
import { type Asked, isDatedRight, type SimulatedPay } from "./pay.ts";
import type { ProcessClock } from "./virtual-time.ts";

export type NetworkTrouble =
  | "none"
  /** No interface has an address. */
  | "link_down"
  | "no_dns"
  | "no_route"
  | "refused"
  | "reset"
  /** Nothing comes back when a connection is made. */
  | "black_hole"
  /** The connection stands, and no answer comes. */
  | "hang"
  /** The answer breaks off in its body. */
  | "cut"
  /** The request arrives; the answer is lost on its way back. */
  | "answer_lost"
  | "slow"
  | "not_trusted";

const failures: Partial<Record<NetworkTrouble, string>> = {
  link_down: "ENETUNREACH",
  no_dns: "ENOTFOUND",
  no_route: "EHOSTUNREACH",
  refused: "ECONNREFUSED",
  reset: "ECONNRESET",
  not_trusted: "SELF_SIGNED_CERT_IN_CHAIN",
};

const CARD = {
  ...{ address: "192.0.2.7", netmask: "255.255.255.0", mac: "02:00:00:00:00:07", cidr: "192.0.2.7/24" },
  ...({ family: "IPv4", internal: false } as const),
};

/** One request of the terminal, whether or not it has come anywhere. */
export interface Try {
  readonly atMs: number;
  /** By the time in which the terminal was awake. */
  readonly awakeMs: number;
  readonly origin: string;
  readonly rawData: string;
  readonly trouble: NetworkTrouble;
  /** Both clocks agreed. */
  readonly clockRight: boolean;
  asked: Asked | undefined;
  endedAtMs: number | undefined;
  /** The whole answer has arrived. */
  answered: boolean;
  /** Which trouble there was, at its begin and its end, if it was the same. */
  steady: boolean;
}

export interface NetworkParts {
  readonly pay: SimulatedPay;
  readonly chance: Chance;
  readonly now: () => number;
  readonly awake: () => number;
  /** WeChat Pay's clock. */
  readonly wall: () => number;
  readonly clockRight: () => boolean;
}

/** The way from the terminal to WeChat Pay. Trouble is of one origin or of all ("*"). */
export class SimulatedNetwork {
  readonly trouble = new Map<string, NetworkTrouble>();
  /** Told of each request before it has come anywhere. */
  onTry: (one: Try) => void = () => undefined;
  readonly #parts: NetworkParts;
  #address = 7;

  constructor(parts: NetworkParts) {
    this.#parts = parts;
  }

  /** The router has given another address. */
  renumber(): void {
    this.#address++;
  }

  interfaces() {
    if (this.trouble.get("*") === "link_down") return {};
    return { eth0: [{ ...CARD, cidr: `192.0.2.${this.#address}/24` }] };
  }

  transportFor(clock: ProcessClock) {
    const { now } = this.#parts;
    return ({ origin, connectTimeoutMs }: TransportOptions): Transport => {
      const closed = new AbortController();
      return {
        post: async (request, given) => {
          const { raw_data: rawData = "" } = JSON.parse(request.body) as Record<string, string>;
          const one: Try = {
            ...{
              atMs: now(),
              awakeMs: this.#parts.awake(),
              origin,
              rawData,
              trouble: this.#troubleOn(origin),
              clockRight: this.#parts.clockRight(),
            },
            ...{ asked: undefined, endedAtMs: undefined, answered: false, steady: false },
          };
          const { trouble } = this.#parts.pay;
          this.onTry(one);
          try {
            return await this.#post(one, request, connectTimeoutMs, clock, AbortSignal.any([given, closed.signal]));
          } finally {
            one.endedAtMs = now();
            const same = one.trouble === this.#troubleOn(origin) && trouble === this.#parts.pay.trouble;
            one.steady = same && one.clockRight && this.#parts.clockRight();
          }
        },
        close: async () => closed.abort(systemError("UND_ERR_DESTROYED")),
      };
    };
  }

  #troubleOn(origin: string): NetworkTrouble {
    return this.trouble.get("*") ?? this.trouble.get(origin) ?? "none";
  }

  async #post(
    one: Try,
    request: HttpRequest,
    connectTimeoutMs: number,
    clock: ProcessClock,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { chance, now, wall, pay } = this.#parts;
    const atOnce = one.trouble === "no_dns" || one.trouble === "link_down";
    await clock.sleep(atOnce ? 5 : 10 + chance.below(60), signal);
    if (one.trouble === "black_hole") {
      await clock.sleep(connectTimeoutMs, signal);
      throw systemError("UND_ERR_CONNECT_TIMEOUT");
    }
    const code = failures[one.trouble];
    if (code !== undefined) throw systemError(code);
    const connectedAt = clock.boot();
    if (one.trouble === "slow") await clock.sleep(chance.below(9_000), signal);
    if (one.trouble === "hang") await clock.sleep(Number.POSITIVE_INFINITY, signal);
    const { answer, asked } = pay.answer(request, one.origin, { ms: now(), wallMs: wall() });
    one.asked = asked;
    await clock.sleep(20 + chance.below(200), signal);
    const trouble = this.#troubleOn(one.origin);
    if (trouble === "answer_lost" || trouble === "link_down") await clock.sleep(Number.POSITIVE_INFINITY, signal);
    if (trouble === "reset") throw systemError("ECONNRESET");
    const headers = Object.fromEntries(
      Object.entries(answer.headers).map(([name, value]) => [name.toLowerCase(), value]),
    );
    const head = { status: answer.status, headers, receivedAt: clock.boot(), connectedAt };
    if (trouble === "cut") {
      return { ...head, body: answer.body.subarray(0, 20), bodyError: systemError("UND_ERR_SOCKET") };
    }
    one.answered = true;
    const { carried } = asked;
    const clockRight = one.clockRight && this.#parts.clockRight();
    if (carried && (isDatedRight(carried) || !clockRight)) carried.delivered = true;
    return { ...head, body: answer.body };
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
