import { describe, expect, it } from "vitest";
import type { Check } from "../../../agent/diagnostics/check.ts";
import { allChecks } from "../../../agent/diagnostics/checks.ts";
import type { Result, Status } from "../../../agent/diagnostics/engine.ts";
import { type Console, consoleOf, cut, padded, widthOf, wrap } from "../../../agent/diagnostics/report/console.ts";
import { adviceOf, type Report, reportedCheck } from "../../../agent/diagnostics/report/report.ts";
import { renderReport } from "../../../agent/diagnostics/report/text.ts";
import { thresholdTexts } from "../../../agent/messages/threshold-texts.ts";

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
    ["none", undefined, { LANG: "C" }, {}, { language: "both", plain: false, colour: false, columns: 80 }],
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

describe("the last line", () => {
  it("names the failure, its why, its remedy and how to look again", () => {
    const failure = result("key.file", 304, "fail");
    expect(adviceOf(failure, [failure], around)).toEqual({
      zh: "先处理 [304 key.file] 细节 detail。请修复。然后执行 facepay-agent diagnose --only key.file。",
      en: "Do this first [304 key.file] detail detail. Fix it. Then run facepay-agent diagnose --only key.file.".replace(
        "detail detail",
        "细节 detail",
      ),
    });
  });

  it("sends to the refresh first where the agent only repeats what it has met", () => {
    const old = { ...result("pay.auth", 511, "fail"), value: { since: "2026-06-01T08:00:00.000Z" } };
    expect(adviceOf(old, [old], around)).toMatchObject({
      zh: expect.stringMatching(/然后执行 facepay-agent refresh，再执行 facepay-agent diagnose --only pay\.auth。$/),
      en: expect.stringMatching(/Then run facepay-agent refresh, and facepay-agent diagnose --only pay\.auth\.$/),
    });
  });

  it("says so when all is well, when nothing could be seen, and when the agent does not run", () => {
    expect(adviceOf(undefined, [result("a", 1, "pass")], around).zh).toBe("一切正常。");
    expect(adviceOf(undefined, [result("a", 1, "skip")], { ...around, privileged: false }).en).toBe(
      "There was nothing that could be checked. (sudo shows the rest)",
    );
    const dead = { ...around, agent: "absent" } as const;
    expect(adviceOf(undefined, [result("a", 1, "pass")], dead).en).toContain("systemctl start facepay-agent");
    expect(adviceOf(undefined, [result("a", 1, "pass")], { ...dead, installed: false }).en).toContain(
      "run --config /etc/c.toml",
    );
    const failure = result("a", 1, "fail");
    expect(adviceOf(failure, [failure], dead)).toMatchObject({
      zh: "先处理 [1 a] 细节 detail。请修复。然后启动服务：systemctl start facepay-agent，再执行 facepay-agent diagnose --only a。",
      en: expect.stringMatching(/Fix it\. Then start the agent: systemctl start facepay-agent, and run facepay-agent/),
    });
    // Its own remedy starts it: not twice.
    const absent = result("pay.authinfo", 512, "fail");
    expect(adviceOf(absent, [absent], dead).zh).not.toContain("然后启动服务");
    // What does not run is not restarted, and then started as well.
    const remedy = { zh: "请执行 x，然后重启服务。", en: "Run x, then restart the service." };
    const restarted = { ...failure, remedy };
    expect(adviceOf(restarted, [restarted], dead).zh).toContain("请执行 x。然后启动服务：");
    expect(adviceOf(restarted, [restarted], dead).en).toContain("Run x. Then start the agent:");
    expect(adviceOf(restarted, [restarted], around).zh).toContain("请执行 x，然后重启服务。然后执行");
    // A corrected file is not in force before it has been read, and what reads it is not told twice.
    const invalid = result("cfg.valid", 301, "fail");
    expect(adviceOf(invalid, [invalid], around)).toMatchObject({
      zh: expect.stringContaining(
        "请修复。然后让服务读取：systemctl reload facepay-agent，再执行 facepay-agent diagnose",
      ),
      en: expect.stringContaining("Fix it. Then make the agent read it: systemctl reload facepay-agent, and run"),
    });
    const unread = { ...invalid, remedy: { zh: "kill -HUP 1。", en: "kill -HUP 1." } };
    expect(adviceOf(unread, [unread], { ...around, installed: false }).en.match(/kill -HUP/g)).toHaveLength(1);
    // Whoever may not ask the agent sees too little to be sent anywhere.
    const barred = { ...around, agent: "forbidden", privileged: false } as const;
    expect(adviceOf(failure, [failure], barred).zh).toBe(
      "请先用 sudo 重新运行：当前用户没有权限询问服务，多数项目无法检查。目前所见 [1 a] 细节 detail。",
    );
    const warning = result("a", 1, "warn");
    expect(adviceOf(warning, [warning], around).zh).toBe("没有故障。可以改进的第一项 [1 a]：请修复。");
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
    ...{ schema: "facepay-agent.diagnose/1", agent_version: "1.0.0", run_id: "ABCD-1234", duration_ms: 1_234 },
    started_at: new Date(Date.UTC(2026, 5, 1)).toISOString(),
    host: { machine_id_hash: null, os: "Debian", kernel: "6", arch: "x64" },
    ...{ agent: "running", service_user: "facepay", config_file: "/etc/facepay-agent/config.toml", first: "key.file" },
    summary: { pass: 1, warn: 1, fail: 1, skip: 1, crash: 1, exit: 1 },
    advice: adviceOf(results[0], results, around),
    checks: results.map(reportedCheck),
  };
  const screen = (change: Partial<Console>) =>
    renderReport(report, { language: "en", plain: false, colour: false, columns: 80, ...change });

  it("has a line a check by code, and the first one marked", () => {
    const lines = screen({ language: "zh-CN" }).split("\n");
    const codes = lines.flatMap((line) => /^\S+\s+(\d{3}) /.exec(line)?.[1] ?? []);
    expect(codes).toEqual(["301", "303", "304", "305", "307"]);
    expect(lines.filter((line) => line.includes("先处理："))).toHaveLength(1);
    expect(lines).toContain("结果：1 项正常，1 项注意，1 项故障，1 项无法判断，1 项未检查；用时 1.2 秒");
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

  it("ends with what to do first", () => {
    expect(screen({}).trimEnd().replaceAll("\n", " ")).toMatch(/--only key\.file\.$/);
    expect(screen({ language: "both" }).trimEnd().split("\n\n").at(-1)).toMatch(
      /^先处理 \[304 key\.file\].*\nDo this first \[304/s,
    );
  });

  it("has colours where they are wanted", () => {
    expect(screen({ colour: true })).toContain("\u001b[31m");
  });
});

it("every check says in both languages what it warns of and fails for", () => {
  const known: Readonly<Record<string, { readonly warn?: string; readonly fail?: string }>> = thresholdTexts;
  for (const { id, threshold } of allChecks) {
    expect(Object.keys(known[id] ?? {}).toSorted(), id).toEqual(Object.keys(threshold).toSorted());
  }
});
