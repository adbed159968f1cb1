import type { ChildProcess } from "node:child_process";
import path from "node:path";
import type { Playground } from "../../agent/simulator/playground.ts";
import { compileSimulatedSdk } from "../../drivers/simulator/compile-sdk.ts";
import { compileJavaBridge, type JavaBridge, startJavaBridge } from "../../drivers/simulator/java-bridge.ts";
import { openPty, type Pty } from "../../drivers/simulator/pty.ts";
import { SimulatedBridge } from "../../drivers/simulator/simulated-bridge.ts";
import { endProgram, startProgram } from "./child.ts";

/** The bridge as the demo needs it: to be taken away and brought back. */
export interface BridgePeer {
  /** What the agent is told about it. */
  readonly driver: { readonly type: "serial" | "socket"; readonly path: string };
  readonly plugged: boolean;
  /** Brings it and returns where it is, for people. */
  plug(): Promise<string>;
  unplug(): Promise<void>;
}

/** A simulator in this process, on a pseudo-terminal. */
export class SimulatedPeer implements BridgePeer {
  readonly driver: BridgePeer["driver"];
  readonly #link: string;
  readonly #bridge: SimulatedBridge;
  #pty: Pty | undefined;

  constructor({ deviceLink, identity }: Playground) {
    this.driver = { type: "serial", path: path.basename(deviceLink) };
    this.#link = deviceLink;
    this.#bridge = new SimulatedBridge({ deviceId: identity.deviceId });
  }

  get plugged(): boolean {
    return this.#pty !== undefined;
  }

  async plug(): Promise<string> {
    this.#pty = await openPty({ link: this.#link });
    this.#bridge.attach(this.#pty.stream);
    return this.#pty.path;
  }

  async unplug(): Promise<void> {
    this.#pty?.unplug();
    this.#pty = undefined;
  }
}

const SOCKET = "run/bridge.sock";

/** The reference bridge as a process of its own, over the simulated SDK as a C library. */
export class NativePeer implements BridgePeer {
  readonly driver: BridgePeer["driver"] = { type: "socket", path: SOCKET };
  readonly library: string;
  readonly #playground: Playground;
  #child: ChildProcess | undefined;

  /** Compiles the library into the playground. Rejects with what the compiler said. */
  static async compile(playground: Playground): Promise<NativePeer> {
    return new NativePeer(playground, await compileSimulatedSdk(playground.directory));
  }

  constructor(playground: Playground, library: string) {
    this.#playground = playground;
    this.library = library;
  }

  get plugged(): boolean {
    return this.#child !== undefined;
  }

  async plug(): Promise<string> {
    const { directory, identity } = this.#playground;
    const socket = path.join(directory, SOCKET);
    const what = ["--library", this.library, "--socket", socket, "--device-id", identity.deviceId];
    this.#child = startProgram(["bridge", ...what], path.join(directory, "bridge.log"));
    return socket;
  }

  async unplug(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child) await endProgram(child);
  }
}

/** The bridge in Java for Android devices (docs/bridge/java) as a process of its own, at the other end of a serial line. */
export class JavaPeer implements BridgePeer {
  readonly driver: BridgePeer["driver"];
  readonly #playground: Playground;
  readonly #classes: string;
  #bridge: JavaBridge | undefined;

  /** Compiles it into the playground. Rejects with what the compiler said. */
  static async compile(playground: Playground): Promise<JavaPeer> {
    return new JavaPeer(playground, await compileJavaBridge(playground.directory));
  }

  constructor(playground: Playground, classes: string) {
    this.driver = { type: "serial", path: path.basename(playground.deviceLink) };
    this.#playground = playground;
    this.#classes = classes;
  }

  get plugged(): boolean {
    return this.#bridge !== undefined;
  }

  async plug(): Promise<string> {
    const { deviceLink: link, identity } = this.#playground;
    this.#bridge = await startJavaBridge({ classes: this.#classes, deviceId: identity.deviceId, link });
    return this.#bridge.path;
  }

  async unplug(): Promise<void> {
    const bridge = this.#bridge;
    this.#bridge = undefined;
    await bridge?.stop();
  }
}
