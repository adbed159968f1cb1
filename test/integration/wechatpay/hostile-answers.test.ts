import { readFile } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import { type AnswerFault, commonFaults } from "../../../agent/simulator/answer-faults.ts";
import { openRig, type Rig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

/** What the process has held at its peak, MB. */
async function peakMb(rig: Rig): Promise<number> {
  const text = await readFile(`/proc/${rig.agent.pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(text)?.[1]) / 1024;
}

/** One refresh has failed for this reason, and the reader has the authinfo of before. */
async function expectHeld(rig: Rig, before: { readonly authinfo: string; readonly generation: number }, code: string) {
  const { status, body } = await rig.refresh();
  expect([status, (body.cause as Record<string, unknown>)?.code]).toEqual([502, code]);
  const { authinfo, generation } = before;
  expect((await rig.get()).body).toMatchObject({ authinfo, generation, state: "due" });
  expect((await rig.status()).last_error).toMatchObject({ code });
}

describe.concurrent("a gateway, or somebody in its place, that answers with", () => {
  const cases: [what: string, fault: AnswerFault, code: string][] = [
    ["the login page of a network", commonFaults.captivePortal, "PAY_CAPTIVE_PORTAL"],
    ["a redirect", commonFaults.redirect, "PAY_REDIRECTED"],
    ["100 MB", { delivery: "huge" }, "PAY_ANSWER_TOO_LARGE"],
    ["20 MB in 20 KB of gzip", { authinfo: "0".repeat(20_000_000), gzip: true }, "PAY_ANSWER_ENCODED"],
    ["chunks without an end", { delivery: "truncated-chunks" }, "PAY_CONNECTION_LOST"],
    ["another charset", commonFaults.otherCharset, "PAY_ANSWER_CHARSET"],
    ["no authinfo", commonFaults.missingAuthinfo, "PAY_AUTHINFO_MISSING"],
    ["an authinfo of no character", { authinfo: "" }, "PAY_AUTHINFO_INVALID"],
    ["an authinfo of 20 000 characters", { authinfo: "x".repeat(20_000) }, "PAY_AUTHINFO_INVALID"],
    ["an authinfo of 1 000 000 characters", { authinfo: "x".repeat(1_000_000) }, "PAY_ANSWER_TOO_LARGE"],
    ["expires_in -1", { expiresIn: -1 }, "PAY_EXPIRES_IN_INVALID"],
    ["expires_in 0", { expiresIn: 0 }, "PAY_EXPIRES_IN_INVALID"],
    ["expires_in 59", { expiresIn: 59 }, "PAY_EXPIRES_IN_INVALID"],
    ['expires_in "x"', { expiresIn: "x" }, "PAY_EXPIRES_IN_INVALID"],
    ["an answer of more than 300 s ago", { timestampOffsetS: -310 }, "PAY_SIGNATURE_REPLAYED"],
    ["an answer of 310 s ahead", { timestampOffsetS: 310 }, "PAY_SIGNATURE_EXPIRED"],
    ["a probe of the verification", { signature: "probe" }, "PAY_SIGNATURE_PROBE"],
    ["a serial nobody knows", { signature: "unknown-serial" }, "PAY_SIGNATURE_SERIAL"],
    ["a 404 that has neither header nor body", { status: 404, body: "", delivery: "bare" }, "PAY_NOT_FOUND"],
    ["a 200 that has neither header nor body", { status: 200, body: "", delivery: "bare" }, "PAY_UNSIGNED"],
  ];

  it.each(cases)("%s changes nothing, and is told for what it is", async (_what, fault, code) => {
    await using rig = await openRig({ mode: "gateway" });
    const before = await rig.serve();
    rig.pay.faults.always = fault;
    await expectHeld(rig, before, code);
    expect(await peakMb(rig)).toBeLessThan(160);
  });

  it("headers of 20 KB is cut off, whatever Node has been told to allow", async () => {
    await using rig = await openRig({ mode: "gateway" });
    const before = await rig.serve({ env: { NODE_OPTIONS: "--max-http-header-size=1000000" } });
    rig.pay.faults.always = { headers: { "X-Large": "x".repeat(20_000) } };
    await expectHeld(rig, before, "PAY_ANSWER_TOO_LARGE");
  });

  it("expires_in 1e9 is taken for a day", async () => {
    await using rig = await openRig({ mode: "gateway" });
    rig.pay.expiresIn = 1e9;
    const { obtained_at, expires_at, expiry_source } = await rig.serve();
    expect(expiry_source).toBe("response");
    expect(Date.parse(expires_at) - Date.parse(obtained_at)).toBe(86_400_000);
  });

  it("an answer of less than 300 s ago, older than one already believed, changes nothing, not even after a restart", async () => {
    await using rig = await openRig({ mode: "gateway" });
    rig.pay.clockOffsetS = 60;
    const before = await rig.serve();
    rig.pay.clockOffsetS = 0;
    await rig.restart();
    await rig.firstAnswer();
    await expectHeld(rig, before, "PAY_SIGNATURE_REPLAYED");
  });
});
