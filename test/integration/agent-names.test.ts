import { randomInt } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startWechatPayServer } from "../../agent/simulation/wechatpay-server.ts";
import { FaultLane } from "../support/fault-lane.ts";
import { FrozenPort } from "../support/frozen-port.ts";
import { type NameAnswer, NameServer } from "../support/name-server.ts";
import { nodeWithNameServer, noOwnResolver } from "../support/own-resolver.ts";
import { removeFactory } from "../support/running-agent.ts";

const why = noOwnResolver();
/** The stand-in's certificate is good for it; without /etc/hosts it is a name that the name server has to know. */
const NAME = "localhost";
/** Loopback addresses that no other test listens on. */
const net18 = `127.18.${randomInt(1, 250)}`;
const HOME = `${net18}.1`;

let names: NameServer;
let lane: FaultLane;

/** The right server under the right name, and a certificate for it. */
const good: NameAnswer = { a: [HOME] };

describe.skipIf(why !== undefined)(`names${why === undefined ? "" : ` (skipped: ${why})`}`, { timeout: 60_000 }, () => {
  beforeAll(async () => {
    names = await NameServer.open(`${net18}.53`);
    names.answer = good;
    lane = await FaultLane.open({
      name: NAME,
      host: HOME,
      connectMs: 2_000,
      attemptMs: 2_300,
      node: (directory) => nodeWithNameServer(directory, `${net18}.53`),
    });
  }, 60_000);

  afterAll(async () => {
    await lane[Symbol.asyncDispose]();
    await names[Symbol.asyncDispose]();
    await removeFactory();
  });

  const during = (code: string, answer: NameAnswer, attempts = 1) =>
    lane.during({
      code,
      attempts,
      begin: () => {
        names.answer = answer;
        lane.server.cut();
      },
      end: () => {
        names.answer = good;
      },
    });

  it("that do not exist (NXDOMAIN) are told as PAY_DNS", async () => {
    await during("PAY_DNS", "NXDOMAIN");
  });

  it("whose server has trouble (SERVFAIL) are told as PAY_DNS", async () => {
    await during("PAY_DNS", "SERVFAIL");
  });

  it("whose server says nothing are told as PAY_DNS, not as a way that is closed", async () => {
    await during("PAY_DNS", "silence");
  });

  it("that lead to somebody else are told by his certificate", async () => {
    const { wechatPayOptions, ca } = lane.rig.playground;
    const { certPem: cert, privateKeyPem: key } = await ca.issueServer({ names: ["portal.test"] });
    const host = `${net18}.2`;
    const portal = await startWechatPayServer({ ...wechatPayOptions, tls: { cert, key }, host, port: lane.server.port });
    await during("PAY_TLS_NAME", { a: [host] });
    expect(portal.requests).toEqual([]);
    await portal.stop();
  });

  it("that lead into IPv6 alone, which nobody answers, are told as a connection that does not come", async () => {
    await using _frozen = await FrozenPort.open("::1", lane.server.port);
    await during("PAY_CONNECT_TIMEOUT", { aaaa: ["::1"] });
  });

  it("that lead into a dead IPv6 as well are reached by IPv4, a second later", async () => {
    await using _frozen = await FrozenPort.open("::1", lane.server.port);
    names.answer = { aaaa: ["::1"], a: [HOME] };
    await lane.expectRenewal(2);
    names.answer = good;
  });

  it("with eight addresses of which seven refuse are reached at once", async () => {
    names.answer = { a: [...others(7), HOME] };
    await lane.expectRenewal(1);
    names.answer = good;
  });

  it("with four addresses of which three swallow every SYN are reached at the second attempt", async () => {
    const dead = others(3);
    const frozen = await Promise.all(dead.map((host) => FrozenPort.open(host, lane.server.port)));
    names.answer = { a: [...dead, HOME] };
    try {
      await lane.expectRenewal(2);
    } finally {
      names.answer = good;
      await Promise.all(frozen.map((each) => each[Symbol.asyncDispose]()));
    }
  });
});

function others(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${net18}.${index + 10}`);
}
