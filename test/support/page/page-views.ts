import type { StatusDocument } from "../../../agent/api/status-document.ts";
import { statusRows } from "../../../agent/cli/status/status-view-model.ts";
import type { Report, ReportedCheck } from "../../../agent/diagnostics/report/report.ts";
import type { PageView } from "../../../agent/page/page-view.ts";
import { History } from "../../../agent/runtime/history.ts";

/** What a terminal of each kind shows on its page, with a day behind it. */

export const nowMs = Date.UTC(2026, 5, 1, 4, 0, 0);
const at = (ms: number) => new Date(nowMs + ms).toISOString();
const MIN = 60_000;
const H = 60 * MIN;

const well: StatusDocument = {
  version: "0.1.0",
  authinfo: {
    state: "fresh",
    generation: 61,
    remaining_s: 2_580,
    device_id: "LTA0P18937F130532000001",
    obtained_at: at(-17 * MIN),
    expires_at: at(43 * MIN),
    persisted: true,
    refreshing: false,
  },
  bridge: {
    state: "ready",
    path: "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0",
    bridge: "vendor/2.1",
    device_id: "LTA0P18937F130532000001",
    problem: null,
  },
  wechatpay: {
    mode: "direct",
    base_urls: [
      { base_url: "https://api.mch.weixin.qq.com", in_use: true, last_outcome: "ok", last_ms: 81 },
      { base_url: "https://api2.mch.weixin.qq.com", in_use: false, last_outcome: null },
    ],
  },
  last_error: null,
  next_attempt: { at: at(9 * MIN) },
  store: { directory: "/var/lib/facepay-agent" },
  clock: { trusted: true, skew_s: 0.4 },
  warnings: [],
};

const timeout = {
  code: "PAY_CONNECT_TIMEOUT",
  since: at(-12 * MIN),
  params: { ms: 6_000 },
  detail: "no connection within 6000 ms",
};
const unplugged = {
  code: "BRIDGE_NOT_FOUND",
  since: at(-25 * MIN),
  params: { path: "/dev/ttyUSB0" },
  detail: "there is no /dev/ttyUSB0",
};
const refusing = {
  code: "PAY_FORBIDDEN",
  since: at(-70 * MIN),
  params: {
    httpStatus: 403,
    answerCode: "NO_AUTH",
    answerMessage: "商户号该产品权限未开通，请前往商户平台>产品中心检查后重试",
  },
  detail: "HTTP 403 NO_AUTH",
  http_status: 403,
  reason: "NO_AUTH",
};
const expired = {
  ...well.authinfo,
  state: "expired",
  remaining_s: 0,
  expires_at: at(-10 * MIN),
  obtained_at: at(-70 * MIN),
  failures: 9,
};

export const scenarios = {
  healthy: well,
  due: { ...well, authinfo: { ...well.authinfo, state: "due", remaining_s: 1_140, failures: 4 }, last_error: timeout },
  expired: { ...well, authinfo: expired, last_error: { ...timeout, since: at(-40 * MIN) } },
  bridge_out: {
    ...well,
    authinfo: { ...well.authinfo, state: "due", remaining_s: 720, failures: 5 },
    bridge: { ...well.bridge, state: "opening", bridge: null, path: "/dev/ttyUSB0", problem: unplugged },
    last_error: unplugged,
    warnings: [{ code: "BRIDGE_DOWN", since: at(-24 * MIN) }],
  },
  refusing: { ...well, authinfo: expired, last_error: refusing },
  unprovisioned: {
    ...well,
    authinfo: { state: "unprovisioned" },
    bridge: null,
    wechatpay: null,
    store: null,
    next_attempt: null,
  },
} as const satisfies Readonly<Record<string, StatusDocument>>;

export type Scenario = keyof typeof scenarios;

/** A day: renewals every 20 minutes, an outage of the network in the night, the bridge off for a while, and how it ends. */
export function dayOf(scenario: Scenario) {
  const history = new History();
  if (scenario === "unprovisioned") {
    history.observe(22 * H, { state: "unprovisioned" });
    return history.document({ boot: 24 * H, wall: nowMs }, 24);
  }
  const { authinfo } = scenarios[scenario];
  const endsBad = authinfo.state !== "fresh";
  const quietUntil = endsBad ? 23 * H : 24 * H;
  for (let minute = 0; minute < 24 * 60; minute++) {
    const now = minute * MIN;
    const isOut = minute >= 180 && minute < 255;
    const obtained = isOut ? 180 * MIN : now - (now % (20 * MIN));
    const remainingMs = Math.max(0, obtained + H - now);
    const bridge = { ready: minute < 600 || minute > 604 || minute % 2 === 1 };
    if (now < quietUntil) {
      history.observe(now, {
        state: remainingMs === 0 ? "expired" : isOut ? "due" : "fresh",
        held: { generation: 1 + Math.floor(obtained / (20 * MIN)), remainingMs },
        ...(isOut ? { code: "PAY_UNREACHABLE" } : {}),
        bridge,
      });
      if (isOut && minute % 2 === 0) history.attempt(now, "PAY_UNREACHABLE");
      if (!isOut && minute % 20 === 0) history.attempt(now, "ok");
    } else {
      const left = Math.max(
        0,
        23 * H + (authinfo.state === "due" ? 60 * MIN + (authinfo.remaining_s ?? 0) * 1_000 : 50 * MIN) - now,
      );
      const out = scenario === "bridge_out" && minute >= 1_415;
      history.observe(now, {
        state: left === 0 ? "expired" : "due",
        held: { generation: 70, remainingMs: left },
        code: scenarios[scenario].last_error?.code ?? "",
        bridge: out ? { ready: false, code: "BRIDGE_NOT_FOUND" } : { ready: true },
      });
      if (minute % 3 === 0) history.attempt(now, scenarios[scenario].last_error?.code ?? "ok");
    }
    const hour = Math.floor(minute / 60);
    const reads = hour >= 11 && hour <= 13 ? 3 : hour >= 17 && hour <= 19 ? 2 : 0;
    for (let n = 0; n < reads; n++) history.read(now);
  }
  return history.document({ boot: 24 * H, wall: nowMs }, 24);
}

export function viewOf(scenario: Scenario, changes: Partial<PageView> = {}): PageView {
  const status: StatusDocument = scenarios[scenario];
  const setUp =
    scenario === "unprovisioned"
      ? ({ id: "setup.provision", params: { command: "sudo facepay-agent provision" } } as const)
      : undefined;
  return {
    atWallMs: nowMs,
    version: "0.1.0",
    look: {
      kind: "running",
      status,
      facts: statusRows(status, undefined, nowMs, setUp),
      setUp,
      history: dayOf(scenario),
    },
    report: reportOf([]),
    refresh: { running: false, outcome: undefined },
    diagnose: { running: false, outcome: undefined },
    ...changes,
  };
}

/** A report of `pass` checks and these. */
export function reportOf(more: readonly Partial<ReportedCheck>[], passing = 40): Report {
  const check = (code: number, changes: Partial<ReportedCheck>): ReportedCheck => ({
    ...{
      id: `net.check${code}`,
      code,
      section: "network",
      status: "pass",
      value: null,
      threshold: { warn: null, fail: null },
    },
    title: { zh: "网络检查项", en: "a check of the network" },
    detail: { zh: "一切正常，没有发现问题", en: "all is well, nothing was found" },
    ...{ remedy: null, doc: "", depends_on: [], skipped_because: null, duration_ms: 3 },
    ...changes,
  });
  const checks = [
    ...more.map((changes, index) => check(500 + index, changes)),
    ...Array.from({ length: passing }, (_, index) => check(600 + index, {})),
  ];
  const count = (status: string) => checks.filter((each) => each.status === status).length;
  const first = checks.find(({ status }) => status === "fail")?.id ?? null;
  return {
    ...{
      schema: "facepay-agent.diagnose/1",
      agent_version: "0.1.0",
      run_id: "T11M-TD7W",
      support_code: "1YPB-2M43-GN84",
      started_at: at(-30_000),
    },
    ...{
      duration_ms: 4_321,
      agent: "running",
      service_user: "facepay-agent",
      config_file: "/etc/facepay-agent/config.toml",
    },
    host: { machine_id_hash: null, os: "Debian GNU/Linux 12", kernel: "6.1", arch: "x64" },
    summary: {
      pass: count("pass"),
      warn: count("warn"),
      fail: count("fail"),
      skip: count("skip"),
      crash: 0,
      exit: first === null ? 0 : 1,
    },
    first,
    advice: first === null ? { zh: "一切正常。", en: "All is well." } : { zh: "先处理这一项。", en: "Do this first." },
    checks,
  };
}
