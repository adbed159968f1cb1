import { execFileSync } from "node:child_process";
import { appendFile, rename, rm, writeFile } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import type { AnswerFault } from "../../agent/simulator/answer-faults.ts";
import { englishIn } from "../support/checks/chinese.ts";
import { AgentProcess } from "../support/fixtures/agent-process.ts";
import { openRig, type Rig, removeFactory } from "../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const commands = [
  "run",
  "status",
  "refresh",
  "diagnose",
  "provision",
  "simulate",
  "bridge",
  "gateway",
  "config",
  "support",
];

/** What a technician sees of one command, both streams; the log of `run` is for programs. */
async function seen(args: readonly string[]): Promise<string> {
  await using technician = new AgentProcess(args, { env: { LANG: "zh_CN.UTF-8", TZ: "Asia/Shanghai" } });
  await technician.exited;
  const lines = (technician.stdout + technician.stderr).split("\n");
  return lines.filter((line) => !line.startsWith('{"level"')).join("\n");
}

function expectChinese(text: string, ...parts: readonly RegExp[]): void {
  expect(text).toMatch(/[\u4e00-\u9fff]/);
  expect(englishIn(text), text).toEqual([]);
  // A line may break wherever there is a space, and between Chinese characters.
  const flat = text.replaceAll(/\s+/g, "");
  for (const { source } of parts) expect(flat).toMatch(new RegExp(source.replaceAll(/ \+?/g, "")));
}

const at = (rig: Rig, ...args: readonly string[]) => [...args, "--config", rig.configFile];

interface ReconnectBackoff {
  readonly name: string;
  /** Made while the agent runs. */
  readonly make: (rig: Rig) => Promise<unknown>;
  /** What the agent's next refresh, which is the technician's own, fails of. */
  readonly code?: string;
  readonly status?: RegExp;
  readonly diagnose?: RegExp;
  readonly refresh?: RegExp;
}

const failing = (rig: Rig, code: string) =>
  rig.statusWhere(`it fails of ${code}`, ({ last_error }) => last_error?.code === code);
const answering = (faults: AnswerFault) => async (rig: Rig) => {
  rig.pay.faults.always = faults;
};

const troubles: readonly ReconnectBackoff[] = [
  { name: "nothing", make: async () => {}, status: /最近错误 +无/, refresh: /已获取新的刷脸凭证/ },
  {
    name: "a bridge that has gone",
    make: async (rig) => {
      await rig.unplug();
      await rig.statusWhere("the line is lost", ({ bridge }) => bridge?.state === "opening");
    },
    code: "BRIDGE_NOT_FOUND",
    status: /最近错误 +BRIDGE_NOT_FOUND \S+不存在.*处理办法 +未找到刷脸模组.*刷脸模组 bridge +未连接/,
    refresh: /BRIDGE_NOT_FOUND \S+ 不存在/,
  },
  {
    name: "an SDK that refuses in English",
    make: async (rig) => {
      rig.bridge.faults = {
        only: "getWxpayfaceRawdata",
        result: { return_code: "ERROR", return_msg: "camera is not there", err_code: 271378577 },
      };
    },
    code: "SDK_ERROR",
    status: /SDK_ERROR SDK 拒绝：「ERROR 271378577 camera is not there」/,
    diagnose: /刷脸 SDK 没有数据：SDK 拒绝：「ERROR 271378577 camera is not there」/,
    refresh: /SDK 拒绝：「ERROR/,
  },
  {
    name: "a payment service that is not there",
    make: async (rig) => {
      await rig.payDown();
    },
    code: "PAY_CONNECT_REFUSED",
    status: /PAY_CONNECT_REFUSED 连接被拒绝/,
    diagnose: /拒绝连接/,
    refresh: /PAY_CONNECT_REFUSED 连接被拒绝/,
  },
  {
    name: "a refusal in English",
    make: answering({ status: 401, body: JSON.stringify({ code: "SIGN_ERROR", message: "the signature is wrong" }) }),
    code: "PAY_UNAUTHORIZED",
    status: /PAY_UNAUTHORIZED HTTP 401 SIGN_ERROR：「the signature is wrong」/,
    diagnose: /被拒绝：HTTP 401 SIGN_ERROR：「the signature is wrong」/,
  },
  {
    name: "a refusal in both languages",
    make: answering({
      status: 401,
      body: JSON.stringify({ code: "GATEWAY_TOKEN_UNKNOWN", message: "令牌不对 / the token is not in the register" }),
    }),
    code: "PAY_UNAUTHORIZED",
    status: /PAY_UNAUTHORIZED HTTP 401 GATEWAY_TOKEN_UNKNOWN：令牌不对.*处理办法 +商户网关不认可本终端的令牌/,
    diagnose:
      /被拒绝：HTTP 401 GATEWAY_TOKEN_UNKNOWN：令牌不对.*处理：商户网关不认可本终端的令牌|被拒绝：HTTP 401 GATEWAY_TOKEN_UNKNOWN：令牌不对.*先处理：商户网关不认可本终端的令牌/,
    refresh: /令牌不对处理办法：商户网关不认可本终端的令牌/,
  },
  { name: "an unsigned answer", make: answering({ signature: "none" }), code: "PAY_UNSIGNED", status: /应答没有签名/ },
  {
    name: "a wrong signature",
    make: answering({ signature: "bad" }),
    code: "PAY_SIGNATURE_INVALID",
    status: /签名与应答不符/,
  },
  {
    name: "a server in trouble",
    make: answering({ status: 500, body: "{}" }),
    code: "PAY_SERVER_ERROR",
    status: /HTTP 500/,
  },
  {
    name: "a configuration that was not taken",
    make: async (rig) => {
      await appendFile(rig.configFile, '\n[wechatpay2]\nmode = "x"\n');
      rig.agent.kill("SIGHUP");
      await rig.statusWhere("the refusal", ({ warnings }) =>
        warnings.some(({ code }) => code === "CONFIG_RELOAD_REFUSED"),
      );
    },
    status: /新配置未被采用/,
    diagnose: /wechatpay2/,
  },
];

describe.concurrent("what a technician reads in Chinese, the agent running with", () => {
  it.each(troubles)("$name", async ({ make, code, status, diagnose, refresh }) => {
    await using rig = await openRig({ line: "serial" });
    await rig.serve();
    await make(rig);
    expectChinese(await seen(at(rig, "refresh")), ...(refresh ? [refresh] : []));
    if (code !== undefined) await failing(rig, code);
    expectChinese(await seen(at(rig, "status")), ...(status ? [status] : []));
    expectChinese(await seen(at(rig, "diagnose", "--skip", "os.supported")), ...(diagnose ? [diagnose] : []));
  });
});

describe.concurrent("what a technician reads in Chinese, without an agent:", () => {
  it("a damaged state, a lost key, a directory that is a file", async () => {
    await using rig = await openRig();
    await rig.serve();
    await rig.stop();
    const store = (...more: readonly string[]) => at(rig, "diagnose", "--only", "store.read,pay.authinfo", ...more);
    await writeFile(rig.within("state/state.prev.sealed"), "cut");
    expectChinese(await seen(store()), /备份 state\.prev\.sealed 已损坏（不是加密的数据文件）/);
    await writeFile(rig.within("state/state.sealed"), "cut");
    expectChinese(await seen(store()), /不是加密的数据文件.*然后执行：\s*facepay-agent run/s);
    expectChinese(await seen(at(rig, "status")), /服务没有运行。请启动：\s*facepay-agent run/);
    expectChinese(await seen(at(rig, "refresh")), /服务没有运行/);
    await rm(rig.within("state"), { recursive: true });
    await writeFile(rig.within("state"), "");
    expectChinese(await seen(at(rig, "run")), /STORE_READ: 数据目录 \S+ 不是目录/);
    expectChinese(await seen(store()), /不是目录/);
  });

  it("a second agent on the same directory, which is told who has it", async () => {
    await using rig = await openRig();
    await rig.serve();
    const text = await seen(at(rig, "run"));
    expectChinese(text, new RegExp(`STORE_LOCKED: 数据目录 \\S+ 正被另一个服务使用（进程 ${rig.agent.pid}）`));
    expect(text).toContain(`kill ${rig.agent.pid}`);
    expect(text).not.toContain("systemctl restart");
    expectChinese(await seen(at(rig, "refresh")), /已获取/);
    expectChinese(await seen(at(rig, "refresh")), /^未能获取：REFRESH_TOO_SOON 10 秒内已请求过，请等待 10 秒后再试$/);
  });

  it.each([
    ["no TOML", "[wechatpay", /小节名没有结束，缺少 \]/],
    ["a key twice", '[api]\nsocket = "a"\nsocket = "b"', /写了两次：第 \d+ 行和第 \d+ 行/],
    [
      "unknown keys and wrong kinds",
      '[refresh]\nlifetime = 5\nrefresh_at = 7\nstale_s = "x"',
      /没有这个键|未知|最接近/,
    ],
  ])("a configuration that is wrong: %s", async (_what, text, part) => {
    await using rig = await openRig();
    await appendFile(rig.configFile, `\n${text}\n`);
    expectChinese(await seen(at(rig, "config", "check")), part);
    expectChinese(await seen(at(rig, "run")), part, /\d 处问题/);
    expectChinese(await seen(at(rig, "diagnose", "--only", "cfg.valid")), part);
  });

  it("a bridge that speaks another protocol, which is said once", async () => {
    await using rig = await openRig({ line: "serial" });
    rig.bridge.protocol = "2.0";
    const text = await seen(at(rig, "diagnose", "--only", "ser.protocol"));
    expectChinese(text, /刷脸模组的应答不符合协议 1：刷脸模组的协议版本是「2\.0」，本服务是 1\.0/);
    expect(text).not.toContain("刷脸模组不可用");
  });

  it("keys that are missing, and a configuration that is", async () => {
    await using rig = await openRig();
    await rename(rig.within("merchant-key.pem"), rig.within("elsewhere.pem"));
    expectChinese(await seen(at(rig, "config", "check")), /merchant-key\.pem/);
    execFileSync("mkfifo", [rig.within("merchant-key.pem")]);
    expectChinese(await seen(at(rig, "config", "check")), /merchant-key\.pem 不是普通文件/);
    expectChinese(await seen(at(rig, "diagnose", "--only", "key.file")), /merchant-key\.pem 不是普通文件/);
    await rm(rig.configFile);
    expectChinese(await seen(at(rig, "config", "check")), /没有配置文件/);
    expectChinese(await seen(at(rig, "diagnose", "--only", "cfg.valid")), /没有配置文件/);
  });

  it("provision, asked for everything and told nothing", async () => {
    await using rig = await openRig();
    const fresh = ["--config", rig.within("new/config.toml")];
    expectChinese(await seen(["provision", "--non-interactive", ...fresh]), /缺少/);
    expectChinese(await seen(["provision", ...fresh]), /服务商商户号.*没有写入配置/);
    expectChinese(await seen(["provision", "--set", "identity.sp_mchid=x", ...fresh]), /应为/);
  });

  it.each(commands)("the help of %s", async (command) => {
    expectChinese(await seen([command, "--help"]), /^用法 facepay-agent/);
  });

  it("the help as a whole, the list of checks, and mistakes on the command line", async () => {
    expectChinese(await seen(["--help"]), /命令/);
    expectChinese(await seen(["diagnose", "--list"]), /警告：/);
    expectChinese(await seen(["status", "--wach"]), /没有选项 --wach（是否要写 --watch？）/);
    expectChinese(await seen(["stat"]), /没有命令 stat/);
    expectChinese(await seen(["diagnose", "--only", "nothing"]), /没有检查项/);
    expectChinese(await seen(["bridge", "--check", "-", "--list"]));
    expectChinese(await seen(["bridge"]), /请用 --library/);
  });
});

describe("the test for English in Chinese", () => {
  it.each([
    ["刷脸模组 the seal is broken", ["the seal is broken"]],
    ["未能获取：no answer within 5 ms", ["no answer within"]],
    ["SDK 拒绝：「camera is not there」", []],
    ["被拒绝：「令牌不对 / the token is not in the register」", ["the token is not in the register"]],
    ["/etc/key 无法读取（not a regular file）", ["regular file"]],
    ["请执行 systemctl enable --now facepay-agent.socket facepay-agent。", []],
    ["设备SN device_id LTA0，raw_data 344 字符", []],
  ])("finds in %s what is to be found", (text, found) => {
    expect(englishIn(text)).toEqual(found);
  });
});
