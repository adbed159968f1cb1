import { describe, expect, it } from "vitest";
import type { StatusDocument } from "../../../agent/api/status-document.ts";
import { barOf, renderRows } from "../../../agent/cli/status/status-renderer.ts";
import { changeLine, statusRows } from "../../../agent/cli/status/status-view-model.ts";
import { pictureOf } from "../../../agent/cli/status/status-watch.ts";
import type { Language } from "../../../agent/common/language.ts";
import { widthOf } from "../../../agent/diagnostics/report/console.ts";
import { textOf } from "../../../agent/messages/text-of.ts";

const now = Date.UTC(2026, 5, 1, 4, 0, 0);
const at = (ms: number) => new Date(now + ms).toISOString();

const document: StatusDocument = {
  version: "0.1.0",
  authinfo: {
    state: "due",
    generation: 3,
    remaining_s: 900,
    device_id: "LTA0P18937F130532000001",
    obtained_at: at(-2_700_000),
    expires_at: at(900_000),
    persisted: true,
    refreshing: false,
  },
  bridge: {
    state: "handshake",
    path: "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0",
    bridge: "vendor/2.1",
    problem: { code: "BRIDGE_TIMEOUT" },
  },
  wechatpay: {
    base_urls: [
      { base_url: "https://api.mch.weixin.qq.com", in_use: false, last_outcome: "pay_connect_timeout", last_ms: 6_000 },
      { base_url: "https://api2.mch.weixin.qq.com", in_use: true, last_outcome: "ok", last_ms: 81 },
    ],
  },
  last_error: { code: "BRIDGE_TIMEOUT", since: at(-60_000), detail: "no answer to hello within 10000 ms" },
  next_attempt: { at: at(42_000) },
  store: { directory: "/var/lib/facepay-agent" },
  clock: { trusted: true, skew_s: 0.4 },
  warnings: [{ code: "BRIDGE_DOWN", since: at(-50_000) }],
};
const host = {
  os: "Debian GNU/Linux 12 x64",
  memory: { availableBytes: 1_048_576_000, totalBytes: 2_097_152_000 },
  disk: { availableBytes: 1_048_576_000, usedPercent: 40 },
};

describe("a line on which no bridge answers", () => {
  it("has the one remedy on the screen", () => {
    const foreign = {
      code: "BRIDGE_FOREIGN_DATA",
      since: at(0),
      params: { octets: 700, text: true, echo: false },
    };
    const bridge = { state: "handshake", path: "/dev/ttyUSB0", bridge: null, problem: foreign };
    const rows = statusRows({ ...document, bridge, last_error: foreign }, undefined, now, undefined);
    const words = rows.map(({ value }) => textOf(value).en);
    expect(words.filter((text) => /baud_rate/.test(text))).toHaveLength(1);
    expect(words.join("\n")).toMatch(/700 octets of text came/);
    expect(words.join("\n")).not.toMatch(/power-cycle/);
    expect(rows.map(({ value }) => textOf(value).zh).join("\n")).toMatch(
      /收到 700 字节的文本，都不是刷脸模组协议[\s\S]*baud_rate/,
    );
  });
});

function picture(
  language: Language,
  more: { columns?: number; rows?: number; plain?: boolean; colour?: boolean } = {},
) {
  const { columns = 79, rows = 23, plain = false, colour = false } = more;
  return pictureOf({ kind: "status", document, setUp: undefined }, host, now, {
    language,
    columns,
    rows,
    plain,
    colour,
  });
}

describe("a seal's key that cannot be used", () => {
  const rows = (problem: { code: string; params: Readonly<Record<string, unknown>> }) =>
    statusRows({ ...document, store: { directory: "/d", problem } }, undefined, now, undefined).map(
      ({ label, value }) => `${label === undefined ? "" : textOf(label).en}: ${textOf(value).en} ${textOf(value).zh}`,
    );

  it("is shown with its cause and the one thing to do about it", () => {
    const params = { variant: "open_to_others", file: "/d/store.key", mode: "0600" };
    const shown = rows({ code: "KEY_FILE", params });
    const at = shown.findIndex((row) => row.startsWith("kept state"));
    expect(shown.slice(at, at + 2)).toEqual([
      "kept state: KEY_FILE the key file /d/store.key is readable by others KEY_FILE 密钥文件 /d/store.key 他人可读",
      "what to do: Run:\n  chmod 0600 /d/store.key 请执行：\n  chmod 0600 /d/store.key",
    ]);
    expect(shown.join("\n").match(/chmod \d+/g)).toEqual(["chmod 0600", "chmod 0600"]);
  });

  it("is not the only trouble of a store, nor shown when there is none", () => {
    const shown = rows({ code: "STORE_WRITE", params: { errno: "ENOSPC", syscall: "write" } });
    expect(shown.join("\n")).toMatch(/kept state: STORE_WRITE the state was not written.*\nwhat to do: /);
    expect(
      statusRows(document, undefined, now, undefined).some(
        ({ label }) => label && "id" in label && label.id === "status.store",
      ),
    ).toBe(false);
  });
});

describe("the screen of status --watch", () => {
  it.each(["zh-CN", "en", "both"] as const)("shows all that counts in 80 by 24, %s", (language) => {
    const lines = picture(language);
    expect(lines.length).toBeLessThanOrEqual(23);
    for (const line of lines) expect(widthOf(line), line).toBeLessThanOrEqual(79);
    const text = lines.join("\n");
    for (const what of ["15 ", "LTA0P18937F130532000001", "BRIDGE_TIMEOUT", "0:42", "api2.mch.weixin.qq.com"]) {
      expect(text).toContain(what);
    }
    if (language !== "en") expect(text).toMatch(/刷脸凭证[\s\S]*处理办法[\s\S]*断电 10 秒/);
    if (language !== "zh-CN") expect(text).toMatch(/still good[\s\S]*what to do[\s\S]*power-cycle/);
  });

  it("says how much is left out on a small one, and never is wider or higher", () => {
    for (const [columns, rows] of [
      [60, 14],
      [40, 8],
      [30, 4],
      [20, 2],
    ] as const) {
      const lines = picture("zh-CN", { columns, rows });
      expect(lines.length, `${rows}`).toBeLessThanOrEqual(rows);
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(Math.max(columns, 30));
    }
    expect(picture("zh-CN", { rows: 10 }).at(-1)).toContain("还有");
  });

  it("has ASCII alone for a console that knows nothing else", () => {
    const text = picture("en", { plain: true }).join("\n");
    expect(text).toMatch(/^[\n\x20-\x7e]*$/);
    expect(text).toContain("[#######.");
  });

  it("draws the time left as a bar", () => {
    expect(barOf(1, 12, true)).toBe("[##########]");
    expect(barOf(0.5, 12, true)).toBe("[#####.....]");
    expect(barOf(0.001, 12, true)).toBe("[#.........]");
    expect(barOf(0, 12, false)).toBe("[░░░░░░░░░░]");
  });

  it("colours what is well and what is not, and only when asked to", () => {
    expect(picture("en", { colour: true }).join("\n")).toContain("\u001b[31mBRIDGE_TIMEOUT");
    expect(picture("en").join("\n")).not.toContain("\u001b");
  });

  it("shows words of a peer as they are, never as commands to the terminal", () => {
    const treacherous = { ...document, last_error: { code: "X", since: at(0), detail: "\u001b[2J\u202eevil" } };
    const lines = renderRows(statusRows(treacherous, undefined, now, undefined), {
      language: "en",
      columns: 79,
      plain: false,
      colour: false,
    });
    for (const hidden of ["\u001b", "\u202e"]) expect(lines.join("\n")).not.toContain(hidden);
  });

  const shown = (more: Partial<StatusDocument>, language: Language = "zh-CN") =>
    renderRows(statusRows({ ...document, ...more }, undefined, now, undefined), {
      ...{ language, columns: 79, plain: false, colour: false },
    }).join("\n");

  it("says what to do about the bridge's own trouble while the last refresh went well, and nothing twice", () => {
    const bridge = {
      ...{ state: "opening", path: "/dev/ttyUSB0", bridge: null },
      problem: { code: "BRIDGE_PERMISSION", params: { path: "/dev/ttyUSB0" } },
    };
    const text = shown({ bridge, last_error: null });
    expect(text).toMatch(
      /未连接 \/dev\/ttyUSB0 BRIDGE_PERMISSION\n +当前用户无权打开 \/dev\/ttyUSB0\n处理办法 +无权限访问串口/,
    );
    expect(shown({ bridge, last_error: null }, "en")).toMatch(/may not open[\s\S]*what to do +No permission/);
    const both = shown({
      bridge,
      last_error: { code: "BRIDGE_PERMISSION", since: at(0), params: bridge.problem.params },
    });
    expect(both.split("BRIDGE_PERMISSION")).toHaveLength(2);
    expect(both.split("处理办法")).toHaveLength(2);
  });

  it("has words for what is not known yet", () => {
    const nothing: Partial<StatusDocument> = {
      authinfo: { state: "unprovisioned" },
      ...{ bridge: null, last_error: null, next_attempt: null, clock: { trusted: false, skew_s: null }, warnings: [] },
      wechatpay: { base_urls: [{ base_url: "https://a.example", last_outcome: null }] },
    };
    for (const language of ["zh-CN", "en"] as const) expect(shown(nothing, language)).not.toMatch(/ -( |$)/m);
    expect(shown(nothing)).toMatch(
      /尚未得知[\s\S]*尚未配置[\s\S]*a\.example 尚未请求[\s\S]*未确认，尚未与微信支付比较/,
    );
  });

  it("names the ports of the base URLs, not the one that most have", () => {
    const urls = (list: readonly string[]) => ({
      wechatpay: { base_urls: list.map((base_url) => ({ base_url, last_outcome: null })) },
      last_error: { code: "PAY_CONNECT_REFUSED", since: at(0), detail: "the connection was refused" },
    });
    expect(shown(urls(["https://gw.example:8443/x", "https://gw2.example:8443"])).replaceAll(/\n\s*/g, "")).toContain(
      "TCP 8443 端口",
    );
    expect(shown(urls(["https://gw.example", "https://gw.example:8443"]), "en")).toContain("443 and 8443 in the");
    expect(shown(urls(["https://api.mch.weixin.qq.com"])).replaceAll(/\s+/g, "")).toContain("TCP443端口");
  });

  it("says of an agent that is not there what to do", () => {
    const options = { language: "both", columns: 79, rows: 23, plain: false, colour: false } as const;
    const text = pictureOf(
      {
        ...{ kind: "unreachable", reason: "absent", socket: "/run/x.sock" },
        starting: {
          installed: true,
          configFile: "/etc/facepay-agent/config.toml",
          hidden: false,
          absent: false,
          problems: 0,
        },
      },
      undefined,
      now,
      options,
    ).join("\n");
    expect(text).toMatch(/服务没有运行[\s\S]*systemctl start/);
  });

  it("changes its one line for a pipe with what has changed, not with the seconds", () => {
    const later = { ...document, authinfo: { ...document.authinfo, remaining_s: 10 }, next_attempt: { at: at(1_000) } };
    expect(changeLine(later)).toEqual(changeLine(document));
    expect(changeLine({ ...document, last_error: null })).not.toEqual(changeLine(document));
    expect(textOf(changeLine(document)).en).toBe(
      "due: still good, being renewed generation=3 bridge=handshake/BRIDGE_TIMEOUT wechatpay=ok error=BRIDGE_TIMEOUT warnings=BRIDGE_DOWN",
    );
  });
});
