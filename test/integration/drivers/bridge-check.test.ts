import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../agent/common/clock.ts";
import { systemRandom } from "../../../agent/common/random.ts";
import { checkBridge, checkCases } from "../../../drivers/conformance/check-bridge.ts";
import { unixSocketStream } from "../../../drivers/line/unix-socket.ts";
import { SimulatedBridge } from "../../../drivers/simulator/simulated-bridge.ts";
import { BreakableBridge } from "../../support/fakes/breakable-bridge.ts";

/** Short, so that a deaf bridge is recognised soon; the real ones are the command's. */
const limits = { helloMs: 300, callMs: 300, initMs: 600, quietMs: 30, rawDataGapMs: 20, silenceMs: 100, calls: 300 };
const clock = systemClock();

/** What the kit must say of a bridge that is broken in the way of each case. */
const broken: readonly [id: string, words: string][] = [
  ["F01", "begins with FF 03, address and control"],
  ["R01", 'jsonrpc is not "2.0"'],
  ["F02", "a frame with a wrong check sequence"],
  ["F03", "was damaged (fcs)"],
  ["F04", "11 or 13 without an escape"],
  ["F05", "no answer within"],
  ["F06", "no answer within"],
  ["F07", "something else was answered too"],
  ["F08", "an aborted frame was answered"],
  ["F09", "a damaged frame was answered"],
  ["F10", "no answer within"],
  ["F11", "a frame that is too long was answered"],
  ["F12", "it does not answer the next call"],
  ["F13", "it does not answer the next call"],
  ["F14", "something else was answered too"],
  ["F15", "no answer within"],
  ["F16", "an answer was too long"],
  ["R02", "a byte order mark"],
  ["R03", "Chinese in it was refused"],
  ["R04", "an answer with another id"],
  ["R05", "1 more frames followed"],
  ["R06", "the answer was null"],
  ["R07", "it was answered"],
  ["R08", "and closed the line"],
  ["R09", "it was answered"],
  ["R10", "no answer within"],
  ["H01", 'its protocol is "2.0"'],
  ["H02", 'its bridge is "breakable"'],
  ["H03", "10 hellos had 10 sessions"],
  ["H04", "the session changed"],
  ["H05", "its device_id is"],
  ["H06", "10 hellos had 10 net_ids"],
  ["H07", "its sdk_version is 2"],
  ["H08", "the session is the one from before"],
  ["H09", "the bridge closed the line"],
  ["H10", "no answer within"],
  ["S01", "no object with a return_code"],
  ["S02", "holds a space"],
  ["S03", "the same rawdata came twice"],
  ["S04", "the SDK refused"],
  ["S05", "initWxpayface failed: PARAM_ERROR"],
  ["S06", "another init in the same session"],
  ["S07", '"code":-32000'],
  ["S08", "was rounded"],
  ["S09", "no answer within"],
  ["S10", "a payload that is no JSON object"],
  ["S11", "the SDK is a new one and the session is not"],
  ["S12", "no answer within"],
  ["S13", "were not released"],
  ["E01", "no answer within"],
];

let directory: string;
let sockets = 0;
const newSocket = () => path.join(directory, `${++sockets}.sock`);

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "facepay-check-"));
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

async function check(bridge: BreakableBridge, ids?: readonly string[], more: Partial<typeof limits> = {}) {
  const socket = newSocket();
  await bridge.listen(socket);
  try {
    return await checkBridge({
      open: unixSocketStream(socket, clock),
      clock,
      random: systemRandom,
      limits: { ...limits, ...more },
      restart: async () => bridge.restart(),
      ...(ids && { cases: checkCases.filter(({ id }) => ids.includes(id)) }),
    });
  } finally {
    await bridge.close();
  }
}

const failures = ({ results }: Awaited<ReturnType<typeof check>>) =>
  results.filter(({ status }) => status !== "pass").map(({ id, status, detail }) => `${status} ${id}: ${detail.en}`);

describe("the conformance kit", () => {
  it("has permanent ids, each once, and both languages throughout", () => {
    const ids = checkCases.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^[FRHSE]\d\d$/.test(id))).toEqual([]);
    for (const { title, rule } of checkCases) {
      expect(title.zh).toMatch(/[\u4e00-\u9fff]/);
      expect(title.en).not.toMatch(/[\u4e00-\u9fff]/);
      expect(rule).not.toBe("");
    }
  });

  it("finds nothing wrong with a bridge that is right", async () => {
    const report = await check(new BreakableBridge());
    expect(failures(report)).toEqual([]);
    expect(report.bridge).toMatchObject({ bridge: "breakable/1", device_id: "SN-1" });
    expect(report.results.map(({ id }) => id)).toEqual(checkCases.map(({ id }) => id));
  });

  it("has a bridge broken in the way of each of its cases", () => {
    expect(broken.map(([id]) => id)).toEqual(checkCases.map(({ id }) => id));
  });

  it.each(broken)("notices in %s that %s", async (id, words) => {
    const { results } = await check(new BreakableBridge(id), [id]);
    expect(results).toMatchObject([{ id, status: "fail", detail: { en: expect.stringContaining(words) } }]);
    expect(results[0]?.detail.zh).toMatch(/[\u4e00-\u9fff]/);
  });

  it("tries nothing more on a bridge that does not answer at all", async () => {
    const { results } = await check(new BreakableBridge("F01"));
    expect(results.map(({ status }) => status)).toEqual(["fail", ...checkCases.slice(1).map(() => "skip")]);
  });

  it.each([
    ["NUL", "a NUL octet after its JSON"],
    ["id", "whose id is no number"],
    ["error", "either result or error"],
  ])("names the answer and not the framing where only its content cannot be used: %s", async (flaw, words) => {
    const { results } = await check(new BreakableBridge(flaw));
    const [first] = results.filter(({ status }) => status === "fail");
    expect(first).toMatchObject({ id: "R01", detail: { en: expect.stringContaining(words) } });
    expect(results.filter(({ status }) => status === "fail")).toHaveLength(1);
  });

  it("rejects with the reason when the line does not open", async () => {
    const open = unixSocketStream(path.join(directory, "nobody.sock"), clock);
    await expect(checkBridge({ open, clock, random: systemRandom, limits })).rejects.toMatchObject({
      code: "BRIDGE_NOT_FOUND",
    });
  });

  it("passes the simulated bridge, but for what only the C library can be made to do", async () => {
    const bridge = new SimulatedBridge();
    const server = net.createServer((socket) => bridge.attach(socket));
    const socket = newSocket();
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const report = await checkBridge({
      open: unixSocketStream(socket, clock),
      clock,
      random: systemRandom,
      limits: { ...limits, helloMs: 2_000, callMs: 2_000, initMs: 3_000, calls: 1_000 },
      restart: async () => bridge.restart(),
    });
    bridge.close();
    const closed = new Promise((resolve) => server.close(resolve));
    await closed;
    const skipped = report.results.filter(({ status }) => status === "skip").map(({ id }) => id);
    expect(failures(report).filter((line) => line.startsWith("fail"))).toEqual([]);
    expect(skipped).toEqual(["S07", "S08", "S09", "S10", "S11", "S12", "S13"]);
  });
});
