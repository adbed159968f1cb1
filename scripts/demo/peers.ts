import { startGatewayServer } from "../../agent/simulator/gateway-server.ts";
import type { PayService } from "../../agent/simulator/pay-service.ts";
import type { Playground } from "../../agent/simulator/playground.ts";
import { startWechatPayServer } from "../../agent/simulator/wechatpay-server.ts";
import type { BridgePeer } from "./bridge-peer.ts";

/** The simulated peers, each of which can be taken away and brought back. */
export class Peers {
  readonly playground: Playground;
  readonly #gateway: boolean;
  readonly #bridge: BridgePeer;
  #server: PayService | undefined;
  #port = 0;

  constructor(playground: Playground, bridge: BridgePeer, gateway: boolean) {
    this.playground = playground;
    this.#bridge = bridge;
    this.#gateway = gateway;
  }

  async serve(): Promise<string> {
    const { wechatPayOptions, gatewayOptions } = this.playground;
    this.#server = this.#gateway
      ? await startGatewayServer({ ...gatewayOptions, port: this.#port })
      : await startWechatPayServer({ ...wechatPayOptions, port: this.#port });
    this.#port = Number(new URL(this.#server.url).port);
    return this.#server.url;
  }

  /** Returns whether the bridge is plugged in now. */
  async toggleBridge(): Promise<boolean> {
    if (this.#bridge.plugged) await this.#bridge.unplug();
    else await this.#bridge.plug();
    return this.#bridge.plugged;
  }

  async toggleServer(): Promise<boolean> {
    if (this.#server === undefined) {
      await this.serve();
      return true;
    }
    await this.#server.stop();
    this.#server = undefined;
    return false;
  }

  async close(): Promise<void> {
    await this.#bridge.unplug();
    await this.#server?.stop();
  }
}
