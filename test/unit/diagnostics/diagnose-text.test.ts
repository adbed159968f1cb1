import { describe, expect, it } from "vitest";
import type { Check } from "../../../agent/diagnostics/check.ts";
import type { Result, Status } from "../../../agent/diagnostics/engine.ts";
import { adviceOf } from "../../../agent/diagnostics/report/advice.ts";
import { type Console, consoleOf, cut, padded, widthOf, wrap } from "../../../agent/diagnostics/report/console.ts";
import { type Report, reportedCheck } from "../../../agent/diagnostics/report/report.ts";
import { renderReport } from "../../../agent/diagnostics/report/text.ts";
import { textOf } from "../../../agent/messages/text-of.ts";

const tty = { isTTY: true, columns: 100 };

describe("the console", () => {
  it.each<[string, string | undefined, Record<string, string>, object, Partial<Console>]>([
    [
      "a Chinese one",
      undefined,
      { LANG: "zh_CN.UTF-8", TERM: "xterm" },
      tty,
      { language: "zh-CN", plain: false, colour: true },
    ],
    ["the kernel's own", undefined, { LANG: "zh_CN.UTF-8", TERM: "linux" }, tty, { language: "en", plain: true }],
    ["one of the C locale", undefined, { LANG: "C", TERM: "xterm" }, tty, { language: "en", plain: true }],
    ["one in GB18030", undefined, { LANG: "zh_CN.GB18030", TERM: "xterm" }, tty, { language: "en", plain: true }],
    [
      "one of UTF-8 without a language",
      undefined,
      { LANG: "C.UTF-8", TERM: "xterm" },
      tty,
      { language: "both", plain: false },
    ],
    ["one that was told", "zh-CN", { LANG: "C", TERM: "vt220" }, tty, { language: "zh-CN", plain: true }],
    ["none", undefined, { LANG: "C" }, {}, { language: "both", plain: false, colour: false, columns: Infinity }],
    ["one without colours", undefined, { LANG: "en_US.UTF-8", NO_COLOR: "1" }, tty, { colour: false }],
    ["a dumb one", undefined, { LANG: "en_US.UTF-8", TERM: "dumb" }, tty, { colour: false, plain: true }],
    [
      "one that does not know its width",
      undefined,
      { LANG: "en_US.UTF-8" },
      { isTTY: true, columns: 0 },
      { columns: 80 },
    ],
    ["a very wide one", undefined, { LANG: "en_US.UTF-8" }, { isTTY: true, columns: 300 }, { columns: 120 }],
  ])("%s is known for what it can show", (_name, flag, env, stream, expected) => {
    expect(consoleOf(flag, env, stream)).toMatchObject(expected);
  });

  it("counts two columns for a Chinese character", () => {
    expect([widthOf("设备SN，a"), widthOf(""), widthOf("～é")]).toEqual([9, 0, 3]);
    expect(padded("设备", 6)).toBe("设备  ");
    expect(cut("设备序列号不一致", 10)).toBe("设备序...");
    expect(cut("short", 10)).toBe("short");
  });

  it("breaks lines at spaces and between Chinese characters, never before a comma, and keeps every character", () => {
    expect(wrap("one two three", 7)).toEqual(["one two", "three"]);
    expect(wrap("请检查网线，再试", 10)).toEqual(["请检查网", "线，再试"]);
    expect(wrap("时限（默认 14000）", 7)).toEqual(["时限", "（默认", "14000）"]);
    for (const width of [12, 14, 16, 20, 30]) {
      for (const line of wrap("请核对（见 /etc/hosts）后重试；他说：「no route」（两次）……", width)) {
        expect(line, `${width}`).toMatch(/^[^，。；：、！？）」…].*[^（「]$|^[^，。；：、！？）」…（「]$/);
      }
    }
    expect(wrap("/a/very/long/path", 6)).toEqual(["/a/ver", "y/long", "/path"]);
    const text =
      '先处理 [301 cfg.valid] /etc/facepay-agent/config.toml:16：现为 "gatway"，应为 "gateway" 或 "direct"。';
    for (let width = 20; width < 90; width++) {
      const lines = wrap(text, width);
      expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(width);
      expect(lines.join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
    }
  });
});

const check = (id: string, code: number): Check => ({
  id,
  code,
  section: "config",
  title: { zh: "密钥文件", en: "key files" },
  dependsOn: [],
  threshold: {},
  remedy: { zh: "请修复。", en: "Fix it." },
  run: () => Promise.reject(new Error("not here")),
});
const result = (id: string, code: number, status: Status, detail = "细节 detail"): Result => ({
  check: check(id, code),
  status,
  detail: { zh: detail, en: detail },
  remedy: { zh: "请修复。", en: "Fix it." },
  durationMs: 1.4,
});
const around = { agent: "running", installed: true, configFile: "/etc/c.toml", privileged: true } as const;

const advice = (...parts: Parameters<typeof adviceOf>) => textOf(adviceOf(...parts));

describe("the advice", () => {
  it("names the failure, its why, its remedy and how to look again", () => {
    const failure = result("key.file", 304, "fail");
    expect(advice(failure, [failure], around)).toEqual({
      zh: "先处理 [304 key.file] 细节 detail。请修复。\n然后执行：\n  facepay-agent diagnose --only key.file",
      en: "Do this first [304 key.file] 细节 detail. Fix it.\nThen run:\n  facepay-agent diagnose --only key.file",
    });
  });

  it("sends to the refresh first where the agent only repeats what it has met", () => {
    const old = { ...result("pay.auth", 511, "fail"), value: { since: "2026-06-01T08:00:00.000Z" } };
    for (const text of Object.values(advice(old, [old], around))) {
      expect(text).toMatch(/\n {2}facepay-agent refresh\n {2}facepay-agent diagnose --only pay\.auth$/);
    }
  });

  it("says so when all is well, and when nothing could be seen", () => {
    expect(advice(undefined, [result("a", 1, "pass")], around).zh).toBe("一切正常。");
    expect(advice(undefined, [result("a", 1, "skip")], { ...around, privileged: false }).en).toBe(
      "sudo shows the rest.\nThere was nothing that could be checked.",
    );
    const warning = result("a", 1, "warn");
    expect(advice(warning, [warning], around).zh).toBe("没有故障。可以改进的第一项 [1 a]：请修复。");
  });

  it("ends with an agent at work, and starts it once", () => {
    const dead = { ...around, agent: "absent" } as const;
    expect(advice(undefined, [result("a", 1, "pass")], dead).en).toContain("\n  systemctl start facepay-agent");
    expect(advice(undefined, [result("a", 1, "pass")], { ...dead, installed: false }).en).toContain(
      "\n  facepay-agent run --config /etc/c.toml",
    );
    const failure = result("a", 1, "fail");
    expect(advice(failure, [failure], dead)).toEqual({
      zh: "先处理 [1 a] 细节 detail。请修复。\n然后执行：\n  systemctl start facepay-agent\n  facepay-agent diagnose --only a",
      en: "Do this first [1 a] 细节 detail. Fix it.\nThen run:\n  systemctl start facepay-agent\n  facepay-agent diagnose --only a",
    });
    // Its own remedy starts it: not twice.
    const absent = result("pay.authinfo", 512, "fail");
    expect(advice(absent, [absent], dead).zh).not.toContain("systemctl start");
  });

  it("has a changed configuration loaded, by what the remedy is and not by its words", () => {
    const invalid = result("cfg.valid", 301, "fail");
    expect(advice(invalid, [invalid], around).en).toContain("\n  systemctl reload facepay-agent\n");
    const unread: Result = { ...invalid, remedy: { id: "configuration.reload", params: { command: "kill -HUP 1" } } };
    expect(advice(unread, [unread], { ...around, installed: false }).en.match(/kill -HUP/g)).toHaveLength(1);
    const edits = { ...result("a", 1, "fail"), remedy: { zh: "请改。", en: "Change it.", edits: true } as const };
    expect(advice(edits, [edits], around).zh).toContain("\n  systemctl reload facepay-agent\n");
    const other = { ...edits, remedy: { zh: "请改 base_urls。", en: "Look at base_urls in the configuration." } };
    expect(advice(other, [other], around).en).not.toContain("reload");
  });

  it("sends nobody anywhere who may not ask the agent", () => {
    const failure = result("a", 1, "fail");
    const barred = { ...around, agent: "forbidden", privileged: false } as const;
    expect(advice(failure, [failure], barred).zh).toBe(
      "请先用 sudo 重新运行：当前用户没有权限询问服务，多数项目无法检查。目前所见 [1 a] 细节 detail。",
    );
  });
});

describe("the report for people", () => {
  const results = [
    result("key.file", 304, "fail", "a very long detail ".repeat(8)),
    result("cfg.valid", 301, "pass"),
    result("cfg.mode", 303, "warn", "\u001b[2J\u202e\nturned round"),
    result("cred.tpm", 307, "skip", "device_id (设备SN) X and 更多 more"),
    result("key.match", 305, "crash"),
  ];
  const report: Report = {
    ...{
      schema: "facepay-agent.diagnose/1",
      agent_version: "1.0.0",
      run_id: "ABCD-1234",
      support_code: "0000-0000-0000",
      duration_ms: 1_234,
    },
    started_at: new Date(Date.UTC(2026, 5, 1)).toISOString(),
    host: { machine_id_hash: null, os: "Debian", kernel: "6", arch: "x64" },
    ...{ agent: "running", service_user: "facepay", config_file: "/etc/facepay-agent/config.toml", first: "key.file" },
    summary: { pass: 1, warn: 1, fail: 1, skip: 1, crash: 1, exit: 1 },
    advice: advice(results[0], results, around),
    checks: results.map(reportedCheck),
  };
  const screen = (change: Partial<Console>) =>
    renderReport(report, { language: "en", plain: false, colour: false, columns: 80, ...change });

  it("has a line a check by code, and the first one marked", () => {
    const lines = screen({ language: "zh-CN" }).split("\n");
    const codes = lines.flatMap((line) => /^\S+\s+(\d{3}) /.exec(line)?.[1] ?? []);
    expect(codes).toEqual(["301", "303", "304", "305", "307"]);
    expect(lines.filter((line) => line.includes("先处理："))).toHaveLength(1);
    expect(lines).toContain("结果：1 项正常，1 项警告，1 项故障，1 项无法判断，1 项未检查；用时 1.2 秒");
  });

  it("keeps to ASCII on a plain console", () => {
    const ascii = screen({ plain: true });
    expect(ascii).toMatch(/^[\n -~]+$/);
    expect(ascii).toContain("[FAIL] 304");
    expect(ascii).toMatch(/^\[skip\] 307 key files device_id X and \? more$/m);
  });

  it("lets nothing that was found move the cursor, and fits the screen in every language and width", () => {
    for (const language of ["zh-CN", "en", "both"] as const) {
      for (const columns of [60, 80, 120]) {
        const text = screen({ language, columns });
        for (const hostile of ["\u001b", "\u202e"]) expect(text).not.toContain(hostile);
        for (const line of text.split("\n")) expect(widthOf(line), line).toBeLessThanOrEqual(columns);
      }
    }
  });

  it("is not wrapped where no console is, and cuts no command anywhere", () => {
    const lines = screen({ columns: Number.POSITIVE_INFINITY }).split("\n");
    expect(lines.find((line) => line.includes(" 304 "))).toContain("a very long detail ".repeat(8).trim());
    expect(screen({ columns: 40 })).toContain("\n  facepay-agent diagnose --only key.file\n");
  });

  it("ends with what to do first", () => {
    expect(screen({}).trimEnd()).toMatch(/\nThen run:\n {2}facepay-agent diagnose --only key\.file$/);
    expect(screen({ language: "both" }).trimEnd().split("\n\n").at(-1)).toMatch(
      /^先处理 \[304 key\.file\].*\nDo this first \[304/s,
    );
  });

  it("has colours where they are wanted", () => {
    expect(screen({ colour: true })).toContain("\u001b[31m");
  });
});
