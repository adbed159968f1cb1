import { systemRandom } from "../../agent/common/random.ts";
import type { WechatPay } from "../../agent/wechatpay/wechatpay.ts";
import type { GatewayRig } from "../../test/support/fixtures/gateway-rig.ts";

const REQUESTS_A_CONNECTION = 20;

/** Terminals that ask without end, each with the agent's own client and its certificate, one request after the other. */
export class Fleet {
  readonly lost: string[] = [];
  asked = 0;
  #retried = 0;
  #slowestMs = 0;
  readonly #createClient: () => WechatPay;
  readonly #terminals: number;
  readonly #deviceId: string;
  readonly #stop = new AbortController();
  #loops: Promise<void>[] = [];

  constructor(rig: GatewayRig, port: number, terminals: number) {
    const { identity, client } = rig.playground;
    this.#terminals = terminals;
    this.#deviceId = identity.deviceId;
    // One load balancer by two names, so that the one retry has somewhere to go.
    const urls = [`https://127.0.0.1:${port}`, `https://localhost:${port}`];
    const secrets = { clientCert: client.certPem, clientKey: client.privateKeyPem };
    const onOutcome = ({ outcome }: { readonly outcome: string }) => {
      if (outcome !== "ok") this.#retried++;
    };
    this.#createClient = () => rig.client(urls, secrets, { onOutcome });
  }

  start(): void {
    this.#loops = Array.from({ length: this.#terminals }, () => this.#work());
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#loops);
  }

  told(): string {
    const { asked, lost } = this;
    const slowest = this.#slowestMs.toFixed(0);
    return `${asked} requests so far, ${this.#retried} tried once more, ${lost.length} lost, slowest ${slowest} ms`;
  }

  async #work(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      // As a terminal that has been silent for half an hour: on a connection of its own.
      const client = this.#createClient();
      for (let i = 0; i < REQUESTS_A_CONNECTION && !this.#stop.signal.aborted; i++) await this.#ask(client);
      await client.close();
    }
  }

  async #ask(client: WechatPay): Promise<void> {
    const { signal } = new AbortController();
    const startedAt = performance.now();
    const rawData = systemRandom.bytes(503).toString("base64");
    const options = { planned: true, newestSignedAtS: 0, signal };
    await client.requestAuthinfo({ deviceId: this.#deviceId, rawData }, options).catch((error: unknown) => {
      this.lost.push(String(error));
    });
    this.asked++;
    this.#slowestMs = Math.max(this.#slowestMs, performance.now() - startedAt);
  }
}
