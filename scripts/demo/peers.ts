import { startGatewayServer } from "../../agent/simulation/gateway-server.ts";
import type { PayService } from "../../agent/simulation/pay-service.ts";
import type { Playground } from "../../agent/simulation/playground.ts";
import { startWechatPayServer } from "../../agent/simulation/wechatpay-server.ts";
import { openPty, type Pty } from "../../drivers/simulator/pty.ts";
import { SimulatedBridge } from "../../drivers/simulator/simulated-bridge.ts";

/** The simulated peers, each of which can be taken away and brought back. */
export class Peers {
  readonly playground: Playground;
  readonly #gateway: boolean;
  readonly #bridge: SimulatedBridge;
  #pty: Pty | undefined;
  #server: PayService | undefined;
  #port = 0;

  constructor(playground: Playground, gateway: boolean) {
    this.playground = playground;
    this.#gateway = gateway;
    this.#bridge = new SimulatedBridge({ deviceId: playground.identity.deviceId });
  }

  async plug(): Promise<string> {
    this.#pty = await openPty({ link: this.playground.deviceLink });
    this.#bridge.attach(this.#pty.stream);
    return this.#pty.path;
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
    if (this.#pty === undefined) {
      await this.plug();
      return true;
    }
    this.#pty.unplug();
    this.#pty = undefined;
    return false;
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
    this.#bridge.close();
    this.#pty?.unplug();
    await this.#server?.stop();
  }
}
