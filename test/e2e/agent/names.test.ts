import { randomInt } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startWechatPayServer } from "../../../agent/simulator/wechatpay-server.ts";
import { FrozenPort } from "../../support/fakes/frozen-port.ts";
import { type NameAnswer, NameServer } from "../../support/fakes/name-server.ts";
import { FaultTerminal } from "../../support/faults/fault-terminal.ts";
import { nodeWithNameServer, noOwnResolver } from "../../support/faults/own-namespace.ts";
import { removeFactory } from "../../support/fixtures/running-agent.ts";

const why = noOwnResolver();
const skipped = why === undefined ? "" : ` (skipped: ${why})`;
/** The simulator's certificate is good for it; without /etc/hosts it is a name that the name server has to know. */
const NAME = "localhost";

/** A terminal whose name server is in the test's hand. */
class Neighbourhood implements AsyncDisposable {
  readonly network: string;
  readonly home: string;
  names: NameServer = undefined as never;
  terminal: FaultTerminal = undefined as never;

  constructor(network: string) {
    this.network = network;
    this.home = `${network}.1`;
  }

  async open(): Promise<void> {
    const nameServer = `${this.network}.53`;
    this.names = await NameServer.open(nameServer);
    this.names.answer = this.good;
    this.terminal = await FaultTerminal.open({
      ...{ name: NAME, host: this.home, connectMs: 2_000, attemptMs: 2_300 },
      node: (directory) => nodeWithNameServer(directory, nameServer),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Either is missing when it could not be opened.
    await this.terminal?.[Symbol.asyncDispose]();
    await this.names?.[Symbol.asyncDispose]();
  }

  /** The right server under the right name. */
  get good(): NameAnswer {
    return { a: [this.home] };
  }

  others(count: number): string[] {
    return Array.from({ length: count }, (_, index) => `${this.network}.${index + 10}`);
  }

  /** The way is broken: told by that code, and over when names lead home again. */
  during(code: string, answer: NameAnswer, around: { begin?: () => unknown; end?: () => unknown } = {}) {
    return this.terminal.during({
      code,
      begin: async () => {
        await around.begin?.();
        this.names.answer = answer;
        this.terminal.server.cut();
      },
      end: async () => {
        this.names.answer = this.good;
        await around.end?.();
      },
    });
  }

  /** The way is bad: another authinfo comes all the same, after fewer than so many failures. */
  despite(answer: NameAnswer, fewerThan: number, frozen: readonly string[]): Promise<void> {
    return this.terminal.alone(async () => {
      const ports = await Promise.all(frozen.map((host) => FrozenPort.open(host, this.terminal.server.port)));
      this.names.answer = answer;
      try {
        await this.terminal.expectRenewal(fewerThan);
      } finally {
        this.names.answer = this.good;
        await Promise.all(ports.map((port) => port[Symbol.asyncDispose]()));
      }
    });
  }
}

const north = new Neighbourhood(`127.18.${randomInt(1, 250)}`);
const south = new Neighbourhood(`127.19.${randomInt(1, 250)}`);

describe.skipIf(why !== undefined).concurrent(`names${skipped}`, () => {
  beforeAll(async () => {
    const settled = await Promise.allSettled([north.open(), south.open()]);
    for (const each of settled) if (each.status === "rejected") throw each.reason;
  });

  afterAll(async () => {
    await Promise.all([north, south].map((each) => each[Symbol.asyncDispose]()));
    await removeFactory();
  });

  it("that do not exist (NXDOMAIN) are told as PAY_DNS", () => north.during("PAY_DNS", "NXDOMAIN"));

  it("whose server has trouble (SERVFAIL) are told as PAY_DNS", () => south.during("PAY_DNS", "SERVFAIL"));

  it("whose server says nothing are told as PAY_DNS, not as a way that is closed", () =>
    north.during("PAY_DNS", "silence"));

  it("that lead into IPv6 alone, which nobody answers, are told as a connection that does not come", async () => {
    let frozen: FrozenPort | undefined;
    await south.during(
      "PAY_CONNECT_TIMEOUT",
      { aaaa: ["::1"] },
      {
        begin: async () => {
          frozen = await FrozenPort.open("::1", south.terminal.server.port);
        },
        end: () => frozen?.[Symbol.asyncDispose](),
      },
    );
  });

  it("that lead to somebody else are told by his certificate", async () => {
    const { rig, server } = north.terminal;
    const { wechatPayOptions, ca } = rig.playground;
    const { certPem: cert, privateKeyPem: key } = await ca.issueServer({ names: ["portal.test"] });
    const [host = ""] = north.others(1);
    const portal = await startWechatPayServer({ ...wechatPayOptions, tls: { cert, key }, host, port: server.port });
    await north.during("PAY_TLS_NAME", { a: [host] });
    expect(portal.requests).toEqual([]);
    await portal.stop();
  });

  it("that lead into a dead IPv6 as well are reached by IPv4, a second later", () =>
    south.despite({ aaaa: ["::1"], a: [south.home] }, 1, ["::1"]));

  it("with eight addresses of which seven refuse are reached at once", () =>
    north.despite({ a: [...north.others(7), north.home] }, 1, []));

  it("with four addresses of which three swallow every SYN are reached at the second attempt", () =>
    south.despite({ a: [...south.others(3), south.home] }, 2, south.others(3)));
});
