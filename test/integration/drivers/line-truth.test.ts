import type { Duplex } from "node:stream";
import { afterAll, describe, expect, it } from "vitest";
import { type DescribedFailure, failureText } from "../../../agent/messages/failure-text.ts";
import { textOf } from "../../../agent/messages/text-of.ts";
import { diagnosed } from "../../support/checks/diagnosed.ts";
import { wrap } from "../../support/fakes/scripted-bridge.ts";
import { AgentProcess } from "../../support/fixtures/agent-process.ts";
import { openPty } from "../../support/fixtures/own-pty.ts";
import { openRig, type Rig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const serial = {
  line: "serial",
  unplugged: true,
  config: { driver: { call_timeout_ms: 800, init_timeout_ms: 800 } },
} as const;

/** As 115200 baud are heard at 9600. */
const garbage = Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 151 + 128) & 0xff));

interface Story {
  readonly what: string;
  /** Plays the peer; returns how it is stopped. */
  readonly play: (far: Duplex) => () => void;
  readonly code: string;
  readonly check: string;
  /** What happened, and what to do, in both languages. */
  readonly zh: readonly [RegExp, RegExp];
  readonly en: readonly [RegExp, RegExp];
}

const every = (ms: number, octets: Uint8Array) => (far: Duplex) => {
  const timer = setInterval(() => far.write(octets), ms);
  return () => clearInterval(timer);
};

const reply = (answer: (chunk: Buffer) => Uint8Array) => (far: Duplex) => {
  far.on("data", (chunk: Buffer) => far.write(answer(chunk)));
  return () => {};
};

/** Answers each call with what is made of its id. */
const answering = (body: (id: string) => string) =>
  reply((chunk) => {
    const ids = [...chunk.toString("latin1").matchAll(/"id":(\d+)/g)].map(([, id = ""]) => id);
    return Buffer.concat(ids.map((id) => wrap(body(id))));
  });

const other = { zh: /接错了设备或 baud_rate 不对/, en: /Another device or a wrong baud_rate/ };
const vendor = { zh: /应答格式不对.*bridge --check/s, en: /answers of the bridge's program.*bridge --check/s };

const stories: readonly Story[] = [
  {
    what: "a bar-code scanner",
    play: every(40, Buffer.from("6901234567892\r\n")),
    ...{ code: "BRIDGE_FOREIGN_DATA", check: "ser.handshake" },
    zh: [/收到 \d+ 字节的文本，都不是刷脸模组协议/, other.zh],
    en: [/\d+ octets of text came, none of them in the bridge's protocol/, other.en],
  },
  {
    what: "115200 baud heard at 9600",
    play: every(40, garbage),
    ...{ code: "BRIDGE_FOREIGN_DATA", check: "ser.handshake" },
    zh: [/收到 \d+ 字节的数据，都不是刷脸模组协议/, other.zh],
    en: [/\d+ octets of data came, none of them in the bridge's protocol/, other.en],
  },
  {
    what: "a modem",
    play: reply((chunk) => Buffer.concat([chunk, Buffer.from("\r\nOK\r\n")])),
    ...{ code: "BRIDGE_FOREIGN_DATA", check: "ser.handshake" },
    zh: [/发出的请求也被原样送回/, other.zh],
    en: [/own calls come back/, other.en],
  },
  {
    what: "a loopback plug",
    play: reply((chunk) => chunk),
    ...{ code: "BRIDGE_ECHO", check: "ser.handshake" },
    zh: [/只收到自己发出的请求/, /拔除回环插头/],
    en: [/only the agent's own calls come back/, /take off the loopback plug/],
  },
  {
    what: "a NUL after the JSON",
    play: answering((id) => `{"jsonrpc":"2.0","id":${id},"result":{}}\0`),
    ...{ code: "BRIDGE_PROTOCOL", check: "ser.protocol" },
    zh: [/应答的 JSON 之后多了一个 NUL 字节/, vendor.zh],
    en: [/a NUL octet follows the JSON/, vendor.en],
  },
  {
    what: "an error of null beside the result",
    play: answering((id) => `{"jsonrpc":"2.0","id":${id},"result":{},"error":null}`),
    ...{ code: "BRIDGE_PROTOCOL", check: "ser.protocol" },
    zh: [/同时含有 "result" 和 "error"/, vendor.zh],
    en: [/both "result" and "error"/, vendor.en],
  },
  {
    what: "the id as text",
    play: answering((id) => `{"jsonrpc":"2.0","id":"${id}","result":{}}`),
    ...{ code: "BRIDGE_PROTOCOL", check: "ser.protocol" },
    zh: [/应答的 id 不是数字/, vendor.zh],
    en: [/the id of its answer is not a number/, vendor.en],
  },
];

type Told = { readonly problem?: { readonly code: string } | null } | null | undefined;

/** What a technician sees of a command, on one line. */
async function seen(rig: Rig, command: string, lang: string): Promise<string> {
  await using technician = new AgentProcess([command, "--config", rig.configFile, "--lang", lang]);
  await technician.exited;
  return (technician.stdout + technician.stderr).replaceAll(/\s+/g, " ");
}

/**
 * A line that no other driver is on: the number of a pseudo-terminal is given anew as soon as it is free, so the agent that would look
 * for its line there ends before the line does.
 */
async function withLine(rig: Rig, play: (far: Duplex) => () => void, act: () => Promise<void>): Promise<void> {
  const pty = await openPty({ link: rig.within("ttyFACEPAY") });
  const stop = play(pty.stream);
  try {
    await act();
  } finally {
    stop();
    await rig.endAgents();
    pty.unplug();
  }
}

describe.concurrent("what is on the line is told alike, with the agent dead and running", () => {
  it.each(stories)("$what: $code", async ({ play, code, check, zh, en }) => {
    await using rig = await openRig(serial);
    await withLine(rig, play, async () => {
      const dead = await diagnosed(rig.configFile);
      rig.start();
      const status = await rig.statusWhere("the line is judged", ({ last_error, bridge }) => {
        const codes = [last_error?.code, (bridge as Told)?.problem?.code];
        return codes.every((each) => each === code);
      });
      const running = await diagnosed(rig.configFile);
      for (const { first, of } of [dead, running]) {
        expect(first).toBe(`${check} fail`);
        const { detail, remedy } = of(check);
        expect([textOf(detail).zh, textOf(remedy).zh, textOf(detail).en, textOf(remedy).en]).toEqual([
          ...zh.map((pattern) => expect.stringMatching(pattern)),
          ...en.map((pattern) => expect.stringMatching(pattern)),
        ]);
      }
      const { heard, frames } = status.bridge as unknown as {
        heard: { octets: number };
        frames: { dropped_octets: number };
      };
      expect(heard.octets).toBeGreaterThan(0);
      if (code === "BRIDGE_FOREIGN_DATA") expect(frames.dropped_octets).toBeGreaterThan(0);
      expect(JSON.stringify(status)).not.toContain("6901234567892");
      for (const [lang, words] of [
        ["zh-CN", zh],
        ["en", en],
      ] as const) {
        const shown = await seen(rig, "status", lang);
        for (const pattern of words) expect(shown).toMatch(pattern);
      }
      expect(failureText(status.last_error as DescribedFailure).zh).toMatch(zh[0]);
      const refreshed = await seen(rig, "refresh", "both");
      for (const pattern of [...zh, ...en]) expect(refreshed).toMatch(pattern);
      expect(rig.agent.logged("BRIDGE_PROBLEM").map(({ cause }) => cause)).toContain(code);
    });
  });

  it("a bridge that has answered and falls silent is blamed for its silence, not for its SDK", async () => {
    await using rig = await openRig(serial);
    const play = (far: Duplex) => {
      rig.bridge.attach(far);
      return () => undefined;
    };
    await withLine(rig, play, async () => {
      await rig.serve();
      rig.bridge.faults = { silent: true };
      const { first, of } = await diagnosed(rig.configFile);
      expect(first).toBe("ser.handshake fail");
      expect(textOf(of("ser.handshake").remedy).en).toMatch(/power-cycle/);
    });
  });
});
