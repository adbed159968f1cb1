/** What an attacker sends. `{n}` stands for nothing: every connection of one attack is alike. */
export interface Attack {
  readonly on: "agent" | "gateway";
  /** New connections a second; undefined: as fast as they are taken. */
  readonly aSecond?: number;
  /** How many are kept open at most; the oldest is dropped for a new one. */
  readonly kept: number;
  /** Written at once. */
  readonly octets: string;
  /** Does not read. */
  readonly deaf?: boolean;
  /** The gateway: whether TLS is spoken, and with how much of a handshake. */
  readonly tls?: "whole" | "half" | "none";
}

const head = (line: string, ...more: string[]) => `${[`${line} HTTP/1.1`, "Host: x", ...more].join("\r\n")}\r\n\r\n`;
const json = ["Content-Type: application/json", "Content-Length: 11"];
const refusedPost = head("POST /nowhere", ...json);
const call = `${head("POST /v1/sdk/call", ...json)}{"cmd":"x"}`;
const read = head("GET /v1/authinfo");
const MANY = 260;

export const attacks = {
  "agent: refused POSTs without their body, 300 a second": {
    on: "agent",
    aSecond: 300,
    kept: 1_000,
    octets: refusedPost,
  },
  "agent: refused POSTs without their body, unpaced": { on: "agent", kept: 300, octets: refusedPost },
  "agent: accepted POSTs without their body, unpaced": {
    on: "agent",
    kept: 300,
    octets: head("POST /v1/sdk/call", ...json),
  },
  "agent: half a head, unpaced": { on: "agent", kept: 300, octets: "GET /v1/authinfo HTTP/1.1\r\nX" },
  "agent: pipelined refused POSTs, never read": {
    on: "agent",
    kept: MANY,
    deaf: true,
    octets: `${refusedPost}{"cmd":"x"}`.repeat(600),
  },
  "agent: pipelined reads, never read": { on: "agent", kept: MANY, deaf: true, octets: read.repeat(1_500) },
  "agent: pipelined SDK calls, never read": { on: "agent", kept: MANY, deaf: true, octets: call.repeat(500) },
  "agent: event streams, never read": { on: "agent", kept: MANY, deaf: true, octets: head("GET /v1/authinfo/events") },
  "agent: mix": { on: "agent", kept: 0, octets: "" },
  "gateway: strangers who live on a 404, 5 a second": {
    on: "gateway",
    aSecond: 5,
    kept: 2_000,
    tls: "whole",
    octets: head("GET /x"),
  },
  "gateway: strangers who live on a 404, 40 a second": {
    on: "gateway",
    aSecond: 40,
    kept: 2_000,
    tls: "whole",
    octets: head("GET /x"),
  },
  "gateway: silent strangers, 40 a second": { on: "gateway", aSecond: 40, kept: 2_000, tls: "whole", octets: "" },
  "gateway: strangers with half a request, 40 a second": {
    on: "gateway",
    aSecond: 40,
    kept: 2_000,
    tls: "whole",
    octets: "GET /x HTTP/1.1\r\nX",
  },
  "gateway: silent TCP, 100 a second": { on: "gateway", aSecond: 100, kept: 2_000, tls: "none", octets: "" },
  "gateway: half a handshake, 100 a second": { on: "gateway", aSecond: 100, kept: 2_000, tls: "half", octets: "" },
  "gateway: pipelines of strangers, never read, 40 a second": {
    on: "gateway",
    aSecond: 40,
    kept: 500,
    tls: "whole",
    deaf: true,
    octets: head("GET /x").repeat(2_000),
  },
  "gateway: mix": { on: "gateway", kept: 0, octets: "" },
} as const satisfies Record<string, Attack>;

export type AttackName = keyof typeof attacks;
