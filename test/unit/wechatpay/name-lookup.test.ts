import type { LookupAddress, LookupOptions } from "node:dns";
import { ADDRCONFIG } from "node:dns";
import { describe, expect, it } from "vitest";
import { createNameLookup, type NameLookup } from "../../../agent/wechatpay/transport/name-lookup.ts";
import { RequestPhase } from "../../../agent/wechatpay/transport/request-phase.ts";

type Answer = { readonly code: string } | readonly string[];

/** A resolver: `narrow` is its answer to a question for the kinds of addresses that this machine has, `wide` to one for all. */
function lookupOf(narrow: Answer, wide: Answer = narrow, connectTimeoutMs = 6_000): NameLookup {
  return createNameLookup(connectTimeoutMs, (_host, { hints }: LookupOptions, callback) => {
    const answer = hints === ADDRCONFIG ? narrow : wide;
    if ("code" in answer) callback(Object.assign(new Error(answer.code), answer), []);
    else
      callback(
        null,
        answer.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
      );
  });
}

function addressesOf(names: NameLookup, host = "gateway.example.com"): string[] | string {
  let found: string[] | string = "no answer";
  names.lookup(host, { hints: ADDRCONFIG, all: true }, (error, addresses) => {
    found = error ? String(error.code) : (addresses as LookupAddress[]).map(({ address }) => address);
  });
  return found;
}

/** What a request for this host fails with whose connection does not come about. */
function failureOf(names: NameLookup, host: string, code = "ECONNREFUSED"): unknown {
  const phase = new RequestPhase(names);
  phase.begun();
  phase.connecting();
  addressesOf(names, host);
  return phase.failed(Object.assign(new Error(code), { code }));
}

describe("the addresses of a name", () => {
  const eight = Array.from({ length: 8 }, (_, index) => `93.184.216.${index + 1}`);

  it("are begun with at another one after a failure, and given longer every other time", () => {
    const names = lookupOf(eight);
    const seen: [number, string | undefined][] = [];
    for (let attempt = 0; attempt < 4; attempt++) {
      seen.push([names.addressTimeoutMs, addressesOf(names)[0]]);
      names.turn();
    }
    // A SYN is sent again after 1 s: whoever gives up within it never connects to a host that loses the first.
    expect(seen).toEqual([
      [1_000, eight[0]],
      [2_800, eight[6]],
      [1_000, eight[0]],
      [2_800, eight[6]],
    ]);
  });

  it("are told as forged when none can be the name's, once the connection has failed", () => {
    expect(failureOf(lookupOf(["0.0.0.0"]), "gateway.example.com")).toMatchObject({
      code: "PAY_DNS_FORGED",
      params: { host: "gateway.example.com", addresses: ["0.0.0.0"] },
      context: { system: "ECONNREFUSED" },
    });
    expect(failureOf(lookupOf(["10.0.0.1"]), "api.mch.weixin.qq.com")).toMatchObject({ code: "PAY_DNS_FORGED" });
    expect(failureOf(lookupOf(["10.0.0.1"]), "gateway.example.com")).toMatchObject({ code: "ECONNREFUSED" });
    expect(failureOf(lookupOf(["0.0.0.0", "93.184.216.1"]), "gateway.example.com")).toMatchObject({
      code: "ECONNREFUSED",
    });
  });

  it("are asked for once more without regard to what this machine has, and the missing kind is told", () => {
    const names = lookupOf({ code: "ENOTFOUND" }, ["93.184.216.1"]);
    expect(addressesOf(names)).toEqual(["93.184.216.1"]);
    expect(failureOf(names, "gateway.example.com", "ENETUNREACH")).toMatchObject({
      code: "PAY_IP_VERSION",
      params: { missing: "IPv4" },
    });
    expect(failureOf(lookupOf({ code: "ENOTFOUND" }, ["2001:db8::1"]), "gateway.example.com")).toMatchObject({
      params: { missing: "IPv6" },
    });
  });

  it("are none where the name does not exist, or the resolver fails", () => {
    expect(addressesOf(lookupOf({ code: "ENOTFOUND" }))).toBe("ENOTFOUND");
    expect(addressesOf(lookupOf({ code: "EAI_AGAIN" }, ["93.184.216.1"]))).toBe("EAI_AGAIN");
    expect(failureOf(lookupOf({ code: "ENOTFOUND" }), "x.example", "ENOTFOUND")).toMatchObject({ code: "ENOTFOUND" });
  });
});
