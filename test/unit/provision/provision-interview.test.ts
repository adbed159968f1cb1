import { describe, expect, it } from "vitest";
import type { TomlValue } from "../../../agent/provision/edit-toml.ts";
import { promptLoop, withoutAsking } from "../../../agent/provision/prompt-loop.ts";
import {
  checked,
  outdatedKeys,
  type Question,
  questionsFor,
  unasked,
  understand,
} from "../../../agent/provision/questions.ts";

const good = async () => undefined;
const keys = (answers: Record<string, TomlValue>) =>
  questionsFor(new Map(Object.entries(answers))).map(({ key }) => key.split(".")[1]);

/** Answers by key; what is not foreseen is answered by an empty line. */
function technician(script: Record<string, readonly string[]>) {
  const asked: string[] = [];
  const complaints: string[] = [];
  const left = new Map(Object.entries(script).map(([key, lines]) => [key, [...lines]]));
  return {
    asked,
    complaints,
    async ask({ key }: Question) {
      asked.push(key);
      return left.get(key)?.shift() ?? "";
    },
    complain: ({ key }: Question) => complaints.push(key),
  };
}

const gateway = {
  "identity.sp_mchid": ["1900000100"],
  "identity.sp_appid": ["wx2421b1c4370ec43b"],
  "identity.sub_mchid": ["1900000109"],
  "identity.organization_id": ["O004ABC8"],
  "wechatpay.mode": ["gateway"],
  "wechatpay.base_urls": ["https://one.example, https://two.example/pay"],
  "wechatpay.client_cert_file": ["/media/usb/client.pem"],
  "wechatpay.client_key_file": ["/media/usb/client.key"],
  "wechatpay.public_key_id": ["PUB_KEY_ID_1"],
  "wechatpay.public_key_file": ["/media/usb/pub_key.pem"],
};

describe("the questions", () => {
  it("ask for the gateway's credentials by default, and for the merchant's in direct mode alone", () => {
    expect(keys({})).toEqual(expect.arrayContaining(["base_urls", "client_cert_file", "bearer_token_file"]));
    expect(keys({})).not.toContain("merchant_private_key_file");
    const direct = keys({ "wechatpay.mode": "direct" });
    expect(direct).toEqual(expect.arrayContaining(["accept_key_on_device", "merchant_private_key_file"]));
    expect(direct).not.toContain("client_cert_file");
  });

  it("ask for the key of a client certificate, and for a token where there is none", () => {
    expect(keys({})).not.toContain("client_key_file");
    expect(keys({ "wechatpay.client_cert_file": "c" })).toContain("client_key_file");
    const token = (answers: Record<string, TomlValue>) =>
      questionsFor(new Map(Object.entries(answers))).find(({ key }) => key.endsWith("bearer_token_file"))?.optional;
    expect(token({})).toBe(false);
    expect(token({ "wechatpay.client_cert_file": "c" })).toBe(true);
  });

  it("name the keys of the other mode, which have to go", () => {
    expect(outdatedKeys(new Map([["wechatpay.mode", "direct"]]))).toContain("wechatpay.bearer_token_file");
    expect(outdatedKeys(new Map([["wechatpay.mode", "gateway"]]))).toContain("wechatpay.merchant_private_key_file");
  });

  it("take lists with commas of both scripts, and refuse what the configuration would refuse", () => {
    expect(checked("wechatpay.base_urls", "https://a.example，https://b.example")).toEqual({
      ok: true,
      value: ["https://a.example", "https://b.example"],
    });
    expect(checked("wechatpay.base_urls", "http://a.example").ok).toBe(false);
    expect(checked("identity.sp_mchid", "19x").ok).toBe(false);
    expect(checked("wechatpay.accept_key_on_device", "true")).toEqual({ ok: true, value: true });
    expect(checked("wechatpay.accept_key_on_device", "yes").ok).toBe(false);
  });

  it.each(["y", "Y", "yes", "是", "true", '"true"', " yes "])("take %j for a yes to a key on the terminal", (typed) => {
    const [question] = questionsFor(new Map([["wechatpay.mode", "direct"]])).filter(({ key }) =>
      key.endsWith("on_device"),
    );
    expect(question && understand(question, typed)).toEqual({ ok: true, value: true });
  });

  it.each(["", "n", "no", "否", "false"])("do not take %j for one, and say what else can be done", (typed) => {
    const [question] = questionsFor(new Map([["wechatpay.mode", "direct"]])).filter(({ key }) =>
      key.endsWith("on_device"),
    );
    const understood = question && understand(question, typed);
    expect(understood).toMatchObject({ ok: false, what: { zh: expect.stringContaining("gateway") } });
  });

  it("take a text with or without quotes, and never ask for them", () => {
    const [question] = questionsFor(new Map());
    if (question === undefined) throw new Error("no question");
    expect(understand(question, '"1900000100"')).toEqual({ ok: true, value: "1900000100" });
    expect(understand(question, "19x")).toMatchObject({
      what: { zh: "格式不对，应为商户号（纯数字）", en: "does not fit: it must be a merchant number: digits" },
    });
  });

  it("show a direct terminal the URLs that are set, so that a gateway's do not stay behind unseen", () => {
    const direct = { "wechatpay.mode": "direct" };
    expect(keys(direct)).not.toContain("base_urls");
    const set = new Map<string, TomlValue>([
      ...Object.entries(direct),
      ["wechatpay.base_urls", ["https://gw.example"]],
    ]);
    const question = questionsFor(set).find(({ key }) => key === "wechatpay.base_urls");
    expect(question?.text.zh).toContain("官方");
    expect(question && understand(question, "-")).toEqual({ ok: true, value: undefined });
    expect(unasked(set).zh).toContain("wechatpay.ca_file");
    expect(unasked(set).zh).not.toContain("wechatpay.base_urls");
    expect(unasked(new Map()).zh).toContain("wechatpay.proxy");
  });

  it("say of a token whether there has to be one", () => {
    const words = (answers: Record<string, TomlValue>) =>
      questionsFor(new Map(Object.entries(answers))).find(({ key }) => key.endsWith("token_file"))?.text.zh;
    expect(words({})).toContain("必填");
    expect(words({ "wechatpay.client_cert_file": "c" })).toContain("留空");
  });

  it("take an empty answer for what is suggested, and a dash for nothing", () => {
    const question: Question = {
      key: "identity.sub_appid",
      text: { zh: "", en: "" },
      optional: true,
      suggestion: "wx1",
    };
    expect(understand(question, " ")).toEqual({ ok: true, value: "wx1" });
    expect(understand(question, "-")).toEqual({ ok: true, value: undefined });
    expect(understand({ ...question, optional: false }, "-")).toEqual({ ok: true, value: "-" });
  });
});

describe("the interview", () => {
  it("ends with all that was asked for", async () => {
    const person = technician(gateway);
    const answers = await promptLoop(new Map(), new Map(), person, good);
    expect(Object.fromEntries(answers)).toEqual({
      ...Object.fromEntries(Object.entries(gateway).map(([key, [value]]) => [key, value])),
      "wechatpay.base_urls": ["https://one.example", "https://two.example/pay"],
    });
    expect(person.complaints).toEqual([]);
  });

  it("asks again until an answer can be taken, and says why", async () => {
    const person = technician({ ...gateway, "identity.sp_mchid": ["", "abc", "1900000100"] });
    const answers = await promptLoop(new Map(), new Map(), person, good);
    expect(answers.get("identity.sp_mchid")).toBe("1900000100");
    expect(person.complaints).toEqual(["identity.sp_mchid", "identity.sp_mchid"]);
  });

  it("asks again for a file that is not there", async () => {
    const person = technician({ ...gateway, "wechatpay.public_key_file": ["/nowhere", "/media/usb/pub_key.pem"] });
    const missing = { zh: "不存在", en: "is missing" };
    const answers = await promptLoop(new Map(), new Map(), person, async (_, value) =>
      value === "/nowhere" ? missing : undefined,
    );
    expect(answers.get("wechatpay.public_key_file")).toBe("/media/usb/pub_key.pem");
    expect(person.complaints).toEqual(["wechatpay.public_key_file"]);
  });

  it("does not ask what a flag has said, unless that cannot be taken", async () => {
    const person = technician(gateway);
    const flags = new Map<string, TomlValue>([
      ["identity.sp_mchid", "7"],
      ["wechatpay.public_key_file", "/nowhere"],
    ]);
    const answers = await promptLoop(new Map(), flags, person, async (_, value) =>
      value === "/nowhere" ? { zh: "", en: "" } : undefined,
    );
    expect(person.asked).not.toContain("identity.sp_mchid");
    expect(answers.get("identity.sp_mchid")).toBe("7");
    expect(answers.get("wechatpay.public_key_file")).toBe("/media/usb/pub_key.pem");
  });

  it("suggests what the terminal has already, so that it can be run again with Enter alone", async () => {
    const known = await promptLoop(new Map(), new Map(), technician(gateway), good);
    const person = technician({});
    expect(await promptLoop(known, new Map(), person, good)).toEqual(known);
    expect(person.asked.length).toBeGreaterThan(8);
  });
});

describe("without anybody to ask", () => {
  it("says all that is missing at once", async () => {
    const { problems } = await withoutAsking(new Map(), new Map([["identity.sp_mchid", "1"]]), good);
    expect(problems.map(({ key }) => key)).toEqual([
      "identity.sp_appid",
      "identity.sub_mchid",
      "identity.organization_id",
      "wechatpay.base_urls",
      "wechatpay.bearer_token_file",
      "wechatpay.public_key_id",
      "wechatpay.public_key_file",
    ]);
    // A certificate does as well as a token: whoever has one must not think that he lacks the other.
    const token = problems.find(({ key }) => key === "wechatpay.bearer_token_file");
    expect(token?.what.en).toBe(
      "is missing; wechatpay.client_cert_file with wechatpay.client_key_file will do instead",
    );
  });

  it("is content with what flags and the file say together", async () => {
    const known = await promptLoop(new Map(), new Map(), technician(gateway), good);
    const { answers, problems } = await withoutAsking(known, new Map([["identity.sub_mchid", "2"]]), good);
    expect(problems).toEqual([]);
    expect(answers.get("identity.sub_mchid")).toBe("2");
  });
});
