import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseToml } from "../../agent/config/toml.ts";
import { type RefusalCode, refusal } from "../../agent/gateway/refusals.ts";
import { failureSentence, sentence } from "../../agent/words/sentences.ts";
import { englishIn } from "../support/chinese.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (file: string) => readFileSync(path.join(root, file), "utf8");

/** What a helper of that file puts before the words it is given. */
const before: Readonly<Record<string, string>> = {
  "agent/store/store-key.ts refuse": "the key file /k ",
  "drivers/sdk-rules.ts unfit": "the bridge cannot be used: ",
  "drivers/sdk-rules.ts refuse": "the SDK's rawdata ",
  "agent/authinfo/adopt.ts unchanged": "WeChat Pay returned the same authinfo again, ",
};
/** Never shown: said to a caller of the gateway, or over the stand-ins. */
const elsewhere = /^agent\/(gateway|simulation)\//;

/** Every text that the sources make an AgentError of, each `${...}` being a number. */
function messages(): { readonly file: string; readonly text: string }[] {
  const files = ["agent", "drivers"].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => path.posix.join(folder, file)),
  );
  return (
    files
      .filter((file) => !elsewhere.test(file))
      .flatMap((file) => {
        const source = read(file);
        const calls = source.matchAll(
          /\b(AgentError|refused?|invalid|unfit|unchanged)\(\s*(?:"[A-Z_]+",\s*)?(["`])((?:\\.|(?!\2)[^\\])+)\2/g,
        );
        const found = [...calls].map(([, call = "", , text = ""]) => (before[`${file} ${call}`] ?? "") + text);
        const reasons = [...source.matchAll(/\b(?:reason|words): (["`])((?:(?!\1).)+)\1/g)].map(([, , text = ""]) =>
          file.includes("library") ? `/lib.so ${text}` : text,
        );
        const isAboutErrors =
          source.includes("AgentError") || file.startsWith("agent/store/") || file === "agent/files/file-system.ts";
        return isAboutErrors ? [...found, ...reasons].map((text) => ({ file, text: filled(text) })) : [];
      })
      // A helper's own template, and one with another template in it, which is an example below.
      .filter(({ text }) => / /.test(text) && text !== "the SDK's rawdata 7" && !text.includes("${"))
  );
}

function filled(text: string): string {
  return text.replace(/\$\{(hint|down \?[^}]*|who)\}/g, "").replace(/\$\{(?:[^{}]|\{[^}]*\})*\}/g, "7");
}

describe("a failure in Chinese", () => {
  const all = messages();

  it("is looked for in all of the sources", () => {
    expect(all.length).toBeGreaterThan(100);
    for (const text of ["the line has gone", "the seal is broken", "the answer is not UTF-8", "7 is not there"])
      expect(all.map((one) => one.text)).toContain(text);
  });

  it.each(all)("has words for $text ($file)", ({ text }) => {
    expect(sentence(text).en).toBe(text);
    expect(sentence(text).zh).toMatch(/[\u4e00-\u9fff]/);
    expect(sentence(text).zh).not.toMatch(/「(?!7」)|\$\d|\{/);
  });

  it.each(
    [...read("agent/wechatpay/failure-classes.ts").matchAll(/^ {2}[A-Z_]+: "([^"]+)",$/gm)].map(
      ([, text = ""]) => text,
    ),
  )("has words for what a connection fails of: %s", (text) => {
    expect(sentence(text).zh).toMatch(/^[^「]*[\u4e00-\u9fff]/);
  });

  it.each([
    [
      "700 octets of text came, none of them in the bridge's protocol, and its own calls come back",
      "收到 700 字节的文本，都不是硬件桥协议，发出的请求也被原样送回",
    ],
    ["HTTP 401 SIGN_ERROR: the signature is wrong", "HTTP 401 SIGN_ERROR：「the signature is wrong」"],
    ["HTTP 403 NO_AUTH: 商户号该产品权限未开通", "HTTP 403 NO_AUTH：「商户号该产品权限未开通」"],
    ["the SDK's process ended (SIGSEGV)", "SDK 进程已退出（SIGSEGV）"],
    ["the SDK's process ended (exit code 3)", "SDK 进程已退出（退出码 3）"],
    ["HTTP 502", "HTTP 502"],
    ["the SDK refused: ERROR 271378577 camera fault", "SDK 拒绝：「ERROR 271378577 camera fault」"],
    ["the bridge cannot use the SDK's library: /x.so is not there", "硬件桥无法使用 SDK 的库：/x.so 不存在"],
    [
      "the bridge cannot use the SDK's library: license broken here",
      "硬件桥无法使用 SDK 的库：「license broken here」",
    ],
    ["the state was not written: ENOSPC in write", "数据没有写入：ENOSPC（write）"],
    [
      "state.sealed cannot be opened (the seal is broken) nor moved (EROFS)",
      "state.sealed 无法打开（封存已损坏），也无法移走（EROFS）",
    ],
    ["ENOENT: no such file or directory, open '/etc/resolv.conf'", "/etc/resolv.conf（ENOENT）"],
    ["something nobody foresaw", "「something nobody foresaw」"],
    ["ECONNREFUSED", "ECONNREFUSED"],
    ["", ""],
  ])("%s", (english, chinese) => {
    expect(sentence(english).zh).toBe(chinese);
  });

  it("stands behind its code, and points to the command where it is a list", () => {
    expect(failureSentence({ code: "BRIDGE_LOST", detail: "/dev/ttyUSB0 has gone" })).toEqual({
      zh: "BRIDGE_LOST /dev/ttyUSB0 已断开",
      en: "BRIDGE_LOST /dev/ttyUSB0 has gone",
    });
    expect(failureSentence({ code: "X" })).toEqual({ zh: "X", en: "X" });
    const list = "config.toml:3:\n  is no number\n    -> write 5";
    expect(failureSentence({ code: "CONFIG_INVALID", detail: list }).zh).toBe(
      "CONFIG_INVALID 配置有误，执行 facepay-agent config check 查看",
    );
  });
});

describe("a refusal of our own gateway, which speaks both languages at once,", () => {
  const codes = ["agent/gateway/refusals.ts", "agent/http/problem.ts"].flatMap((file) =>
    [...read(file).matchAll(/^ {2}([A-Z_]+): \{/gm)].map(([, code]) => code as RefusalCode),
  );

  it.each(codes)("is %s in the language asked for alone", (code) => {
    const { status, body } = refusal(code, "sub_appid");
    const { message } = JSON.parse(body) as { message: string };
    const { zh, en } = sentence(`HTTP ${status} GATEWAY_${code}: ${message}`);
    expect(zh).toMatch(/^HTTP \d+ GATEWAY_[A-Z_]+：[^「]*[\u4e00-\u9fff]/);
    expect(zh).toMatch(/：sub_appid$/);
    expect(englishIn(zh)).toEqual([]);
    expect(en).toMatch(/^HTTP \d+ GATEWAY_[A-Z_]+: [ -~]+: sub_appid$/);
  });

  it("is so without a field and when its end was cut off", () => {
    const text = "HTTP 401 GATEWAY_TOKEN_UNKNOWN: 令牌不对 / the token is not in the register";
    expect(sentence(text)).toEqual({
      zh: "HTTP 401 GATEWAY_TOKEN_UNKNOWN：令牌不对",
      en: "HTTP 401 GATEWAY_TOKEN_UNKNOWN: the token is not in the register",
    });
    expect(sentence("HTTP 401 GATEWAY_X: 令牌不对 / the tok…").zh).toBe("HTTP 401 GATEWAY_X：令牌不对");
  });

  it("stays a quotation when it is somebody else's", () => {
    expect(sentence("HTTP 401 NO: 不对 / wrong it is").zh).toBe("HTTP 401 NO：「不对 / wrong it is」");
  });
});

describe("a TOML error in Chinese", () => {
  const library = path.join(root, "node_modules/smol-toml/dist");
  const said = readdirSync(library)
    .filter((file) => file.endsWith(".js"))
    .flatMap((file) => [...readFileSync(path.join(library, file), "utf8").matchAll(/TomlError\.x\((['`])(.+?)\1/g)])
    .map(([, , text = ""]) => text);

  it("has words for everything that smol-toml says", () => {
    expect(new Set(said).size).toBeGreaterThan(20);
    const source = read("agent/config/toml-lines.ts");
    for (const text of said) expect(source).toContain(`${JSON.stringify(text)}: `);
  });

  it.each([
    ["a = ", "TOML 语法错误：值无效"],
    ["a = 0123", "TOML 语法错误：数字不能以 0 开头"],
    ["a = 1 b = 2", "TOML 语法错误：每行只能写一个键值，值后应换行"],
    ["a = 1\na = 2", "a 在第 1 行已经写过"],
    ['a = "x', "第 1 行的引号不成对"],
    ["[wechatpay", "第 1 行的小节名没有结束，缺少 ]"],
    ["a", "第 1 行只有键名，缺少 = 和值"],
  ])("%j", (text, words) => {
    const parsed = parseToml(text, "x.toml");
    expect(parsed.ok ? "" : parsed.problem.what.zh).toBe(words);
  });
});
