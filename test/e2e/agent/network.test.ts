import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../agent/common/clock.ts";
import { type Certificate, createAuthority, createSelfSigned } from "../../../agent/simulator/certificates.ts";
import { connectionFaults, type Treatment, tlsFault } from "../../support/faults/fault-server.ts";
import { type FaultCase, FaultTerminal, type Findings } from "../../support/faults/fault-terminal.ts";
import { removeFactory } from "../../support/fixtures/running-agent.ts";

const DAY_MS = 86_400_000;
const TERMINALS = 4;

let terminals: FaultTerminal[] = [];
let proxied: FaultTerminal;
let certificates: Record<"expired" | "future" | "otherName" | "selfSigned" | "intercepting" | "good", Certificate>;
const findings: [name: string, Findings][] = [];

beforeAll(async () => {
  [proxied = undefined as never, ...terminals] = await FaultTerminal.openAll([
    { proxy: true },
    ...Array.from({ length: TERMINALS }, () => ({})),
  ]);
  const now = systemClock().wall();
  const { ca } = proxied.rig.playground;
  const stranger = await createAuthority({ now, commonName: "shop firewall" });
  const [expired, future, otherName, good, selfSigned, intercepting] = await Promise.all([
    ca.issueServer({ notBefore: now - 3 * DAY_MS, notAfter: now - DAY_MS }),
    ca.issueServer({ notBefore: now + DAY_MS, notAfter: now + 3 * DAY_MS }),
    ca.issueServer({ names: ["api.mch.weixin.qq.com"] }),
    ca.issueServer(),
    createSelfSigned({ now }),
    stranger.issueServer(),
  ]);
  const chained = { ...intercepting, certPem: intercepting.certPem + stranger.certPem };
  certificates = { expired, future, otherName, selfSigned, good, intercepting: chained };
});

afterAll(async () => {
  await Promise.all([proxied, ...terminals].map((terminal) => terminal?.[Symbol.asyncDispose]()));
  await removeFactory();
  const ms = (value: number) => value.toFixed(1).padStart(7);
  const rows = findings.map(([name, { reads, medianMs, p99Ms, recoveredMs }]) =>
    [ms(medianMs), ms(p99Ms), String(reads).padStart(6), ms(recoveredMs), `  ${name}`].join(""),
  );
  console.info(`reads during each fault, ms: median, p99, reads; recovery, ms; fault\n${rows.join("\n")}`);
});

const treat = (treatment: Treatment) => (terminal: FaultTerminal) => terminal.server.treat(treatment);
const shows = (which: keyof typeof certificates) => (terminal: FaultTerminal) => {
  const { certPem: cert, privateKeyPem: key } = certificates[which];
  terminal.server.treat(tlsFault({ cert, key }));
};
const proxyIs = (fault: number | "hang" | "cut") => (terminal: FaultTerminal) => {
  if (terminal.proxy) terminal.proxy.fault = fault;
  terminal.server.treat((_client, forward) => void forward());
};

/** Table 6.4 of the reference, as far as loopback shows it and no other test of the whole agent has it. */
const faults: [name: string, fault: FaultCase][] = [
  ["a port that nobody listens on", { code: "PAY_CONNECT_REFUSED", begin: ({ server }) => server.vanish() }],
  ["a SYN that nobody answers", { code: "PAY_CONNECT_TIMEOUT", attempts: 2, begin: ({ server }) => server.freeze() }],
  ["a reset at connect", { code: "PAY_CONNECTION_LOST", begin: treat(connectionFaults.resetAtOnce) }],
  ["a handshake that stalls", { code: "PAY_CONNECT_TIMEOUT", attempts: 2, begin: treat(connectionFaults.mute) }],
  ["a reset in the handshake", { code: "PAY_CONNECTION_LOST", begin: treat(connectionFaults.resetInHandshake) }],
  ["a peer that is gone after the handshake", { code: "PAY_TIMEOUT", begin: treat(connectionFaults.halfOpen) }],
  ["an end before the answer", { code: "PAY_CONNECTION_LOST", begin: treat(connectionFaults.closedEarly) }],
  [
    "a reset in the middle of the answer",
    {
      code: "PAY_CONNECTION_LOST",
      begin: ({ rig, server }) => {
        rig.pay.faults.always = { delivery: "hang-in-body" };
        server.treat(connectionFaults.resetInBody);
      },
    },
  ],
  ["an expired certificate", { code: "PAY_TLS_EXPIRED", begin: shows("expired") }],
  ["a certificate that is not valid yet", { code: "PAY_TLS_EXPIRED", begin: shows("future") }],
  ["a certificate for another name", { code: "PAY_TLS_NAME", begin: shows("otherName") }],
  ["a certificate that signs itself", { code: "PAY_TLS_UNTRUSTED", begin: shows("selfSigned") }],
  ["an authority that intercepts", { code: "PAY_TLS_UNTRUSTED", begin: shows("intercepting") }],
  [
    "a server that speaks TLS 1.1 at most",
    {
      code: "PAY_TLS_FAILED",
      begin: (terminal) => {
        const { certPem: cert, privateKeyPem: key } = certificates.good;
        const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
        terminal.server.treat(tlsFault({ cert, key, ...old }));
      },
    },
  ],
  [
    "an answer that never comes to its end",
    {
      code: "PAY_TIMEOUT",
      begin: ({ rig }) => {
        rig.pay.faults.always = { delivery: "hang-in-body" };
      },
    },
  ],
];

const proxyFaults: [name: string, fault: FaultCase][] = [
  ["that wants credentials (407)", { code: "PAY_PROXY_AUTH", begin: proxyIs(407) }],
  ["that is not there", { code: "PAY_PROXY", begin: (terminal) => terminal.stopProxy() }],
  ["that refuses the tunnel (502)", { code: "PAY_PROXY", begin: proxyIs(502) }],
  ["that never answers CONNECT", { code: "PAY_PROXY", begin: proxyIs("hang") }],
  ["that closes the tunnel it has given", { code: "PAY_CONNECTION_LOST", begin: proxyIs("cut") }],
];

/** Three on the direct terminals, one on the other, so that no terminal is waited for at the end. */
const all = proxyFaults.flatMap(([what, fault], turn) => [
  ...faults
    .map((each, index) => ({ each, index }))
    .slice(3 * turn, 3 * turn + 3)
    .map(({ each: [name, direct], index }) => [name, direct, () => terminals[index % TERMINALS]] as const),
  [`a proxy ${what}`, fault, () => proxied] as const,
]);

describe.concurrent("told by one code, harmless to what is held, and over within one retry:", {
  timeout: 60_000,
}, () => {
  it.each(all)("%s", async (name, fault, terminalOf) => {
    const terminal = terminalOf();
    if (terminal === undefined) throw new Error("there are as many terminals as are used");
    findings.push([name, await terminal.during(fault)]);
  });

  it("every fault of the table has had its turn", () => expect(all.length).toBe(faults.length + proxyFaults.length));
});
