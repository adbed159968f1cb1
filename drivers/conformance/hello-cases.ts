import { type CheckCase, type CheckContext, hello } from "./check-case.ts";
import { demand, NotTried } from "./verdict.ts";

const REPEATS = 10;
const RESTART_DEADLINE_MS = 30_000;
const RESTART_LOOK_MS = 200;
const MISSING = { zh: "未报告", en: "missing" };

async function factsOf(context: CheckContext): Promise<Readonly<Record<string, unknown>>> {
  return (await hello(context)).facts;
}

/** The value of a member in several hellos. */
async function several(context: CheckContext, member: string): Promise<unknown[]> {
  const values: unknown[] = [];
  for (let i = 0; i < REPEATS; i++) values.push((await factsOf(context))[member]);
  return values;
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? "nothing";
}

export const helloCases: readonly CheckCase[] = [
  {
    id: "H01",
    rule: '{"protocol":"1.x"}. Another major protocol version is an error',
    title: { zh: "hello 报告协议版本 1.x", en: "hello names protocol 1.x" },
    async run(context) {
      const { protocol } = await factsOf(context);
      const good = typeof protocol === "string" && /^1\.\d{1,9}$/.test(protocol);
      demand(good, `protocol 为 ${show(protocol)}`, `its protocol is ${show(protocol)}`);
      return protocol;
    },
  },
  {
    id: "H02",
    rule: '"bridge":"<name>/<version>"',
    title: { zh: "hello 报告名称与版本", en: "hello names the bridge and its version" },
    async run(context) {
      const { bridge } = await factsOf(context);
      const good = typeof bridge === "string" && bridge.length <= 256 && /^[^/]+\/[^/]+$/.test(bridge);
      demand(good, `bridge 为 ${show(bridge)}，应为 名称/版本`, `its bridge is ${show(bridge)}, not <name>/<version>`);
      return bridge;
    },
  },
  {
    id: "H03",
    rule: '"session":"<differs each time the bridge starts>"',
    title: { zh: "运行期间 session 不变", en: "the session stays while the bridge runs" },
    async run(context) {
      const sessions = await several(context, "session");
      const [session] = sessions;
      const good = typeof session === "string" && session !== "" && session.length <= 256;
      demand(good, `session 为 ${show(session)}`, `its session is ${show(session)}`);
      const differ = new Set(sessions).size;
      demand(differ === 1, `${REPEATS} 次 hello 出现 ${differ} 个 session`, `${REPEATS} hellos had ${differ} sessions`);
      return undefined;
    },
  },
  {
    id: "H04",
    rule: '"session":"<differs each time the bridge starts>"',
    title: { zh: "重新打开线路后 session 不变", en: "the session stays when the line is opened anew" },
    async run(context) {
      const before = (await factsOf(context)).session;
      await context.line.reopen();
      const after = (await factsOf(context)).session;
      demand(before === after, "重新打开线路后 session 变了", "the session changed when the line was opened anew");
      return undefined;
    },
  },
  {
    id: "H05",
    rule: '"device_id":"<1..32 printable ASCII>", may be missing',
    title: { zh: "device_id 为 1 至 32 个可打印 ASCII 字符", en: "device_id is 1 to 32 printable ASCII characters" },
    async run(context) {
      const { device_id: deviceId } = await factsOf(context);
      const good = deviceId === undefined || (typeof deviceId === "string" && /^[\x20-\x7e]{1,32}$/.test(deviceId));
      demand(good, `device_id 为 ${show(deviceId)}`, `its device_id is ${show(deviceId)}`);
      return deviceId ?? MISSING;
    },
  },
  {
    id: "H06",
    rule: '"net_id":"<changes when the SDK board\'s active network card changes>", may be missing',
    title: { zh: "网卡不变时 net_id 不变", en: "net_id stays while the network card does" },
    async run(context) {
      const ids = await several(context, "net_id");
      const [netId] = ids;
      const good = netId === undefined || (typeof netId === "string" && netId.length <= 256);
      demand(good, `net_id 为 ${show(netId)}`, `its net_id is ${show(netId)}`);
      const differ = new Set(ids).size;
      demand(differ === 1, `${REPEATS} 次 hello 出现 ${differ} 个 net_id`, `${REPEATS} hellos had ${differ} net_ids`);
      return typeof netId === "string" ? netId : MISSING;
    },
  },
  {
    id: "H07",
    rule: '"sdk_version":"...", may be missing',
    title: { zh: "sdk_version 是文本", en: "sdk_version is a text" },
    async run(context) {
      const { sdk_version: version } = await factsOf(context);
      const good = version === undefined || (typeof version === "string" && version.length <= 256);
      demand(good, `sdk_version 为 ${show(version)}`, `its sdk_version is ${show(version)}`);
      return version ?? MISSING;
    },
  },
  {
    id: "H08",
    rule: '"session":"<differs each time the bridge starts>"',
    title: { zh: "刷脸模组重启后 session 改变", en: "the session differs after the bridge was started anew" },
    async run(context) {
      const { line, clock, restart } = context;
      if (!restart)
        throw new NotTried("请用 --restart 说明如何重启刷脸模组", "say with --restart how to start the bridge anew");
      const before = (await factsOf(context)).session;
      await line.close();
      await restart();
      const until = clock.boot() + RESTART_DEADLINE_MS;
      while (
        !(await line.open().then(
          () => true,
          () => false,
        ))
      ) {
        demand(clock.boot() < until, "重启后无法打开线路", "the line does not open after the restart");
        await clock.sleep(RESTART_LOOK_MS);
      }
      const after = (await factsOf(context)).session;
      demand(before !== after, "重启后 session 未变", "the session is the one from before the restart");
      return undefined;
    },
  },
  {
    id: "H09",
    rule: "It is sent after every open, before every getWxpayfaceRawdata, and after 30 s of silence",
    title: { zh: "长时间静默后仍有应答", en: "hello is answered after a long silence" },
    async run(context) {
      const { clock, limits } = context;
      await hello(context);
      await clock.sleep(limits.silenceMs);
      await hello(context);
      return `${Math.round(limits.silenceMs / 1000)} s`;
    },
  },
  {
    id: "H10",
    rule: "It is sent before every getWxpayfaceRawdata",
    title: { zh: "hello 应答及时", en: "hello is answered in time" },
    async run(context) {
      const times: number[] = [];
      for (let i = 0; i < REPEATS; i++) times.push((await hello(context)).answer.ms);
      const slowest = Math.max(...times).toFixed(1);
      return { zh: `最慢 ${slowest} ms`, en: `slowest ${slowest} ms` };
    },
  },
];
