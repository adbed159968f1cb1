import { describe, expect, it } from "vitest";
import { isAgentError } from "../../../agent/common/errors.ts";
import {
  backoffMs,
  checkRawData,
  classifyResponse,
  identityChanges,
  nextAction,
  parseHello,
} from "../../../drivers/sdk/rules.ts";
import { describeSamples } from "../../support/checks/published-samples.ts";

const good = { protocol: "1.4", bridge: "b/1", session: "s1", device_id: "D1", net_id: "n1", sdk_version: "2" };

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (isAgentError(error)) return error.code;
    throw error;
  }
  return "none";
}

describe("parseHello", () => {
  it("takes a full one and one without what may be missing", () => {
    expect(parseHello(good)).toEqual({
      protocol: "1.4",
      bridge: "b/1",
      session: "s1",
      deviceId: "D1",
      netId: "n1",
      sdkVersion: "2",
    });
    const bare = { protocol: "1.0", bridge: "b/1", session: "s1" };
    expect(parseHello({ ...bare, later: true })).toEqual(bare);
  });

  it.each([
    ["no object", "hello"],
    ["an array", [good]],
    ["another major version", { ...good, protocol: "2.0" }],
    ["a version that only begins like ours", { ...good, protocol: "1.0; rm" }],
    ["version 10", { ...good, protocol: "10.0" }],
    ["a number as version", { ...good, protocol: 1.0 }],
    ["no session", { ...good, session: undefined }],
    ["an empty session", { ...good, session: "" }],
    ["no name", { ...good, bridge: undefined }],
    ["an empty device_id", { ...good, device_id: "" }],
    ["a device_id of 33 characters", { ...good, device_id: "D".repeat(33) }],
    ["a device_id in Chinese", { ...good, device_id: "终端" }],
    ["a device_id with a line break at its end", { ...good, device_id: "D1\n" }],
    ["a device_id that is no text", { ...good, device_id: 17 }],
    ["an endless session", { ...good, session: "s".repeat(300) }],
  ])("refuses %s", (_, hello) => {
    expect(codeOf(() => parseHello(hello))).toBe("BRIDGE_PROTOCOL");
  });
});

describe("identityChanges", () => {
  it("names what differs, coming and going included", () => {
    const before = parseHello(good);
    expect(identityChanges(before, parseHello(good))).toEqual([]);
    expect(identityChanges(before, parseHello({ ...good, session: "s2", net_id: "n2" }))).toEqual([
      "session",
      "network",
    ]);
    const { device_id: _, ...anonymous } = good;
    expect(identityChanges(before, parseHello(anonymous))).toEqual(["device"]);
    expect(identityChanges(parseHello(anonymous), before)).toEqual(["device"]);
  });
});

describe("judgeAnswer", () => {
  it("knows the two codes that ask for an init, as number and as text", () => {
    for (const err_code of [271378620, "271378620"]) {
      expect(classifyResponse({ return_code: "FAIL", return_msg: "", err_code }).kind).toBe("not_initialised");
    }
    expect(classifyResponse({ return_code: "FAIL", err_code: 271378621 }).kind).toBe("initialising");
  });

  it("keeps code, err_code and a bounded text of other failures", () => {
    const verdict = classifyResponse({ return_code: "SYSTEMERROR", return_msg: "x".repeat(9000), err_code: 33 });
    expect(verdict.kind === "failed" && verdict.error).toMatchObject({
      code: "SDK_ERROR",
      params: { returnCode: "SYSTEMERROR", errCode: 33 },
    });
    expect(verdict.kind === "failed" && verdict.error.message.length).toBeLessThan(250);
  });

  it("does not repeat the SDK's text where the request held a secret", () => {
    const verdict = classifyResponse({ return_code: "PARAM_ERROR", return_msg: "bad passwd hunter2" }, true);
    expect(verdict.kind).toBe("failed");
    expect(JSON.stringify(verdict) + String(verdict.kind === "failed" && verdict.error.message)).not.toContain(
      "hunter2",
    );
  });

  it("refuses what is no answer", () => {
    for (const answer of [null, "SUCCESS", [], {}, { return_code: 0 }]) {
      const verdict = classifyResponse(answer);
      expect(verdict.kind === "failed" && verdict.error.code).toBe("SDK_ANSWER_INVALID");
    }
  });
});

describe("checkRawData", () => {
  it("takes base64 and nothing else", () => {
    expect(checkRawData({ rawdata: "QUJD+/==" })).toBe("QUJD+/==");
    const bad = [
      undefined,
      5,
      "",
      "QUJD QUJD",
      "QUJ",
      "QUJD*UJD",
      "QUJDQ===",
      "=QUJ",
      "QUJD\n",
      "A".repeat(8196),
      "QU-_",
    ];
    for (const rawdata of bad) expect(codeOf(() => checkRawData({ rawdata }))).toBe("SDK_RAWDATA_INVALID");
  });

  it("says nothing of what it refuses", () => {
    try {
      checkRawData({ rawdata: "SECRETSECRET SECRET" });
    } catch (error) {
      expect(String(error)).toContain("SDK_RAWDATA_INVALID.space");
      expect(String(error)).not.toContain("SECRET");
      return;
    }
    expect.unreachable();
  });
});

interface Sample {
  readonly id: string;
  readonly resp?: Record<string, unknown>;
}

describeSamples<Sample[]>("the SDK's published answers", "09-terminal-sdk.json", (samples) => {
  const expected: Readonly<Record<string, string>> = {
    "init-ok": "success",
    "raw-ok": "success",
    "raw-no-sn": "SDK_ERROR",
    "raw-not-init": "not_initialised",
    "raw-initing": "initialising",
    "raw-ip-null": "SDK_NO_NETWORK",
    "code-license": "SDK_ERROR",
    "code-expired": "SDK_ERROR",
  };

  it.each(samples.filter(({ id }) => expected[id]))("$id", ({ id, resp }) => {
    const verdict = classifyResponse(resp);
    expect(verdict.kind === "failed" ? verdict.error.code : verdict.kind).toBe(expected[id]);
    if (verdict.kind === "success" && "rawdata" in verdict.answer) {
      expect(checkRawData(verdict.answer)).toBe(verdict.answer.rawdata);
    }
  });
});

describe("nextDuty", () => {
  const line = { greeted: true, initialised: true, heardAt: 1_000, retryAt: 0 };

  it("greets, then initialises, then says hello after 30 s of silence", () => {
    expect(nextAction({ ...line, greeted: false, initialised: false }, 1_000)).toEqual({ do: "hello" });
    expect(nextAction({ ...line, initialised: false }, 1_000)).toEqual({ do: "init" });
    expect(nextAction(line, 1_000)).toEqual({ do: "wait", ms: 30_000 });
    expect(nextAction(line, 30_999)).toEqual({ do: "wait", ms: 1 });
    expect(nextAction(line, 31_000)).toEqual({ do: "hello" });
  });

  it("waits before it tries again, and keeps the line awake meanwhile", () => {
    const failing = { ...line, initialised: false, retryAt: 5_000 };
    expect(nextAction(failing, 2_000)).toEqual({ do: "wait", ms: 3_000 });
    expect(nextAction(failing, 5_000)).toEqual({ do: "init" });
    expect(nextAction({ ...failing, retryAt: 99_000 }, 2_000)).toEqual({ do: "wait", ms: 29_000 });
    expect(nextAction({ ...failing, retryAt: 99_000 }, 31_000)).toEqual({ do: "hello" });
    expect(nextAction({ ...failing, greeted: false }, 2_000)).toEqual({ do: "wait", ms: 3_000 });
  });
});

describe("backoffMs", () => {
  it("spreads from nothing to 0.5 s at first and to 10 s in the end, never less than 0.1 s", () => {
    expect(backoffMs(0, 0.999)).toBeCloseTo(499.5);
    expect(backoffMs(1, 0.5)).toBe(500);
    expect(backoffMs(1_000_000, 0.999)).toBeCloseTo(9_990);
    expect(backoffMs(12, 0)).toBe(100);
  });
});
