import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failureInEnglish } from "../../../agent/messages/failure-text.ts";
import { Bridge } from "../../../drivers/bridge/bridge.ts";
import { isDeviceId, systemSerialNumber } from "../../../drivers/bridge/device-id.ts";
import { headerFault } from "../../../drivers/bridge/library.ts";
import { activeNetworkCard, defaultCard } from "../../../drivers/bridge/network-card.ts";
import { rawMembers } from "../../../drivers/bridge/raw-members.ts";
import { readRequest } from "../../../drivers/bridge/rpc-request.ts";
import { readHostMessage, writeHostMessage } from "../../../drivers/bridge/sdk-messages.ts";
import { failureOf, nativeFailure, rpcErrorOf } from "../../../drivers/sdk/rules.ts";
import { failureWith } from "../../support/checks/failures.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), "facepay-board-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function board(file: string, text: string): void {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
}

describe("the members of an object as they are written", () => {
  it("are those JSON.parse sees, for any object in any writing", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(undefined, 1, "\t"), (object, space) => {
        const text = ` \n${JSON.stringify(object, undefined, space)} `;
        const parsed: Record<string, unknown> = JSON.parse(text);
        const members = [...rawMembers(text)].map(([name, value]) => [name, JSON.parse(value)]);
        expect(new Map(members as [string, unknown][])).toEqual(new Map(Object.entries(parsed)));
      }),
    );
  });

  it("keep what JSON.parse would lose", () => {
    const text = String.raw`{"a":1,"n":12345678901234567890,"p" : {"x":1,"x":2, "s":"}\"{"} ,"a":[1.0,{}]}`;
    expect([...rawMembers(text)]).toEqual([
      ["a", "[1.0,{}]"],
      ["n", "12345678901234567890"],
      ["p", String.raw`{"x":1,"x":2, "s":"}\"{"}`],
    ]);
    expect(rawMembers(" { } ").size).toBe(0);
    expect(rawMembers(String.raw`{"\u0069d":7}`).get("id")).toBe("7");
  });
});

describe("a payload from the agent", () => {
  const read = (text: string | Buffer) => readRequest(Buffer.from(text as string));

  it.each([
    ["no UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), -32700],
    ["no JSON", "{", -32700],
    ["a batch", '[{"jsonrpc":"2.0","id":1,"method":"hello"}]', -32600],
    ["a number", "42", -32600],
    ["another version", '{"jsonrpc":"1.0","id":1,"method":"hello"}', -32600],
    ["a method that is no text", '{"jsonrpc":"2.0","id":1,"method":7}', -32600],
    ["params by position", '{"jsonrpc":"2.0","id":1,"method":"hello","params":[1]}', -32602],
  ])("that is %s is refused", (_, payload, code) => {
    expect(read(payload)).toMatchObject({ kind: "refuse", error: { code } });
  });

  it("that is an answer or a notification is not answered", () => {
    expect(read('{"jsonrpc":"2.0","id":1,"result":{}}')).toMatchObject({ kind: "drop" });
    expect(read('{"jsonrpc":"2.0","method":"hello"}')).toMatchObject({ kind: "drop" });
  });

  it("keeps its id as it is written, but for what is no id", () => {
    expect(read('{"jsonrpc":"2.0","id":18446744073709551615,"method":"x"}')).toMatchObject({
      request: { id: "18446744073709551615", paramsText: "{}" },
    });
    expect(read('{"jsonrpc":"2.0","id":{"a":1},"method":7}')).toMatchObject({ kind: "refuse", id: "null" });
  });

  it("never makes the reader throw", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => void readRequest(octets)));
    fc.assert(fc.property(fc.json(), (text) => void read(text)));
  });
});

describe("the bridge", () => {
  const forever = new AbortController().signal;
  const outcomes: (string | undefined)[] = [];
  const make = (answer: () => Promise<Buffer>, more: { netId?: () => string | undefined } = {}) =>
    new Bridge({
      sdk: { session: "s-1", call: answer },
      name: "test/1",
      netId: () => undefined,
      callTimeoutMs: 1,
      initTimeoutMs: 2,
      describe: failureInEnglish,
      onOutcome: (problem) => outcomes.push(problem?.code),
      ...more,
    });
  const ask = async (bridge: Bridge, method: string, params: object) =>
    JSON.parse(
      String(await bridge.answer(Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })), forever)),
    );
  const hello = { protocol: "1.0", agent: "a/1" };

  it("keeps the last network card while there is none", async () => {
    const cards = ["eth0-1", undefined, "wlan0-2"];
    const bridge = make(async () => Buffer.from("{}"), { netId: () => cards.shift() });
    const seen = [];
    for (let i = 0; i < 3; i++) seen.push((await ask(bridge, "hello", hello)).result.net_id);
    expect(seen).toEqual(["eth0-1", "eth0-1", "wlan0-2"]);
  });

  it("refuses a hello without protocol or agent, and says nothing of a device id it has not", async () => {
    const bridge = make(async () => Buffer.from("{}"));
    expect((await ask(bridge, "hello", {})).error.code).toBe(-32602);
    expect((await ask(bridge, "hello", hello)).result).toEqual({ protocol: "1.0", bridge: "test/1", session: "s-1" });
  });

  it.each([
    ["no JSON", Buffer.from("OK"), "SDK_ANSWER_INVALID"],
    ["no UTF-8", Buffer.from([0x22, 0xff, 0x22]), "SDK_ANSWER_INVALID"],
    ["nothing", Buffer.alloc(0), "SDK_ANSWER_INVALID"],
    ["a byte order mark", Buffer.from("\ufeff{}"), "SDK_ANSWER_INVALID"],
    ["too much for a frame", Buffer.from(JSON.stringify("x".repeat(8_180))), "SDK_ANSWER_TOO_LARGE"],
  ])("makes an error of an answer that is %s", async (_, octets, code) => {
    const { error } = await ask(
      make(async () => octets),
      "call",
      {},
    );
    expect(error).toMatchObject({ code: -32004, data: { code } });
    expect(outcomes.at(-1)).toBe(code);
  });

  it("repeats the SDK's version once the SDK has told it to somebody, until the SDK is another one", async () => {
    const sdk = { session: "s-1", call: async () => Buffer.from('{"return_code":"SUCCESS","sdk_version":"2.32.300"}') };
    const parts = {
      name: "t/1",
      netId: () => undefined,
      callTimeoutMs: 1,
      initTimeoutMs: 2,
      describe: failureInEnglish,
      onOutcome: () => {},
    };
    const bridge = new Bridge({ ...parts, sdk });
    const version = async () => (await ask(bridge, "hello", hello)).result.sdk_version;
    expect(await version()).toBeUndefined();
    await ask(bridge, "call", { cmd: "getSdkInfo" });
    expect(await version()).toBe("2.32.300");
    sdk.session = "s-2";
    expect(await version()).toBeUndefined();
  });

  it("gives init its own deadline", async () => {
    const deadlines: number[] = [];
    const sdk = {
      session: "s",
      call: async (_: Uint8Array, ms: number) => {
        deadlines.push(ms);
        return Buffer.from("{}");
      },
    };
    const parts = {
      name: "t/1",
      netId: () => undefined,
      callTimeoutMs: 1,
      initTimeoutMs: 2,
      describe: failureInEnglish,
      onOutcome: () => {},
    };
    const bridge = new Bridge({ ...parts, sdk });
    await ask(bridge, "call", { cmd: "initWxpayface" });
    await ask(bridge, "call", { cmd: "getWxpayfaceRawdata" });
    expect(deadlines).toEqual([2, 1]);
  });
});

describe("failures of the SDK", () => {
  it.each([
    "SDK_LIBRARY_MISSING",
    "SDK_LIBRARY_ARCH",
    "SDK_LIBRARY_SYMBOL",
    "SDK_LIBRARY_UNUSABLE",
    "SDK_CRASHED",
    "SDK_HUNG",
    "SDK_ANSWER_INVALID",
    "SDK_ANSWER_TOO_LARGE",
  ] as const)("%s reaches the agent under its own code", (code) => {
    expect(failureOf(rpcErrorOf(failureWith(code), "words"), false).code).toBe(code);
  });

  it("with a native status are told from a service that is down", () => {
    const through = (status: number) => failureOf(rpcErrorOf(nativeFailure(status), "words"), false);
    expect([through(-1).code, through(-1).params.status]).toEqual(["SDK_SERVICE_DOWN", -1]);
    expect([through(7).code, through(7).params.status]).toEqual(["SDK_NATIVE_ERROR", 7]);
  });

  it("of a bridge that gives only the number, or a wrong code with it, are understood", () => {
    expect(failureOf({ code: -32001, message: "x" }, false).code).toBe("SDK_LIBRARY_UNUSABLE");
    expect(failureOf({ code: -32002, message: "x", data: { code: "SDK_HUNG" } }, false).code).toBe("SDK_CRASHED");
    expect(failureOf({ code: -32603, message: "x", data: { code: "SDK_HUNG" } }, false).code).toBe(
      "BRIDGE_REFUSED_CALL",
    );
    expect(failureOf({ code: -32000, message: "x" }, false).code).toBe("BRIDGE_REFUSED_CALL");
  });

  it("repeat nothing of a call that held a secret", () => {
    for (const code of [-32001, -32603, -32000]) {
      const { message, params } = failureOf({ code, message: "passwd hunter2", data: { status: 3 } }, true);
      expect(`${message}${JSON.stringify(params)}`).not.toContain("hunter2");
    }
  });
});

describe("a message from the SDK's process", () => {
  it("comes out as it went in", () => {
    const messages = [
      { kind: "ready" },
      { kind: "answer", octets: Buffer.from("{}") },
      { kind: "status", status: -1 },
      { kind: "failed", error: failureWith("SDK_LIBRARY_SYMBOL") },
    ] as const;
    for (const message of messages) expect(readHostMessage(writeHostMessage(message))).toEqual(message);
  });

  it("that the process never says is none", () => {
    for (const text of [
      "",
      "X",
      "Rx",
      "S",
      "Sx",
      "F{",
      'F{"id":"INTERNAL","params":{}}',
      'F{"id":"SDK_LIBRARY_SYMBOL"}',
    ]) {
      expect(readHostMessage(Buffer.from(text))).toBeUndefined();
    }
    fc.assert(fc.property(fc.uint8Array(), (octets) => void readHostMessage(Buffer.from(octets))));
  });
});

describe("the header of a library", () => {
  const elf = (facts: { bits?: number; data?: number; type?: number; machine?: number }) => {
    const header = Buffer.alloc(20);
    header.write("\x7fELF", "latin1");
    header.writeUInt8(facts.bits ?? 2, 4);
    header.writeUInt8(facts.data ?? 1, 5);
    header.writeUInt16LE(facts.type ?? 3, 16);
    header.writeUInt16LE(facts.machine ?? 62, 18);
    return header;
  };

  it("of this architecture is right", () => {
    expect(headerFault("libsdk.so", elf({}), "x64")).toBeUndefined();
    expect(headerFault("libsdk.so", elf({ machine: 183 }), "arm64")).toBeUndefined();
  });

  it.each([
    ["64-bit ARM on x64", elf({ machine: 183 }), "SDK_LIBRARY_ARCH", "built for 64-bit ARM, this board is x86-64"],
    ["32-bit ARM", elf({ bits: 1, machine: 40 }), "SDK_LIBRARY_ARCH", "built for 32-bit ARM"],
    ["x32, which names the same machine", elf({ bits: 1 }), "SDK_LIBRARY_ARCH", "built for"],
    ["a machine nobody knows", elf({ machine: 9999 }), "SDK_LIBRARY_ARCH", "machine 9999"],
    ["a Windows DLL", Buffer.from("MZ\x90\0"), "SDK_LIBRARY_ARCH", "a Windows library"],
    ["a program", elf({ type: 2 }), "SDK_LIBRARY_UNUSABLE", "not a shared library"],
    ["a text", Buffer.from("#!/bin/sh\n"), "SDK_LIBRARY_UNUSABLE", "not an ELF file"],
    ["nothing", Buffer.alloc(0), "SDK_LIBRARY_UNUSABLE", "not an ELF file"],
    ["cut off", elf({}).subarray(0, 10), "SDK_LIBRARY_UNUSABLE", "truncated"],
  ])("of %s is told", (_, header, code, words) => {
    const found = headerFault("libsdk.so", header, "x64");
    expect([found?.code, found && failureInEnglish(found)]).toEqual([code, expect.stringContaining(words)]);
  });
});

describe("the active network card", () => {
  const head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
  const row = (card: string, metric: number, flags = "0003", destination = "00000000", mask = "00000000") =>
    `${card}\t${destination}\t0101A8C0\t${flags}\t0\t0\t${metric}\t${mask}\t0\t0\t0\n`;
  const zeros = "0".repeat(32);
  const row6 = (card: string, metric: string, flags = "00450003") =>
    `${zeros} 00 ${zeros} 00 fe800000000000000000000000000001 ${metric} 00000001 00000000 ${flags}     ${card}\n`;

  it("carries the default route with the lowest metric", () => {
    expect(
      defaultCard(head + row("wlan0", 600) + row("eth0", 100) + row("eth1", 0, "0001", "0001A8C0", "00FFFFFF"), ""),
    ).toBe("eth0");
    expect(defaultCard(head + row("wlan0", 600) + row("eth0", 100, "0002"), "")).toBe("wlan0");
    // Half of the address space is no default route: VPNs have these.
    expect(defaultCard(head + row("tun0", 0, "0003", "00000000", "00000080") + row("eth0", 9), "")).toBe("eth0");
  });

  it("is found by IPv6 where there is no IPv4, and never on lo", () => {
    expect(defaultCard(head, row6("lo", "ffffffff") + row6("eth0", "00000400") + row6("wlan0", "00000100"))).toBe(
      "wlan0",
    );
    expect(defaultCard(head, row6("lo", "ffffffff"))).toBeUndefined();
    expect(defaultCard("", "")).toBeUndefined();
  });

  it("is named with its MAC address where it has one", () => {
    board("proc/self/net/route", head + row("eth0", 1));
    expect(activeNetworkCard(root)).toBe("eth0");
    board("sys/class/net/eth0/address", "02:00:00:00:00:01\n");
    expect(activeNetworkCard(root)).toBe("eth0-02:00:00:00:00:01");
    expect(activeNetworkCard(path.join(root, "nothing"))).toBeUndefined();
  });
});

describe("the board's serial number", () => {
  it("is read where this kind of board has it", () => {
    expect(systemSerialNumber(root)).toBeUndefined();
    board("sys/firmware/devicetree/base/serial-number", "10000000abcdef01\0");
    expect(systemSerialNumber(root)).toBe("10000000abcdef01");
    board("sys/class/dmi/id/product_serial", "LTA0P18937F130532000001\n");
    expect(systemSerialNumber(root)).toBe("LTA0P18937F130532000001");
  });

  it.each([
    "To be filled by O.E.M.",
    "Default string",
    "None",
    "0000000000",
    "System Serial Number",
    "123456789",
    "N/A",
    "Not Specified",
    " ",
  ])("is not %j", (text) => {
    board("sys/class/dmi/id/product_serial", `${text}\n`);
    expect(systemSerialNumber(root)).toBeUndefined();
  });

  it("fits into the protocol", () => {
    expect(["x", "x".repeat(32)].map(isDeviceId)).toEqual([true, true]);
    expect(["", "x".repeat(33), "序列号", "a\nb"].map(isDeviceId)).toEqual([false, false, false, false]);
  });
});
