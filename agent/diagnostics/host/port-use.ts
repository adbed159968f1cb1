import type { PortHolder } from "../../common/failure-params.ts";
import { groupById } from "../../common/files/group.ts";
import type { Bilingual } from "../../common/language.ts";
import { isTable } from "../../config/keys/fields.ts";
import { failureText } from "../../messages/failure-text.ts";
import { holdersText } from "../../messages/remedies/port-holder-remedy.ts";
import { remedyOf } from "../../messages/remedies/remedies.ts";
import type { BridgeLine } from "../bridge-line.ts";
import { probeBridge } from "../bridge-probe.ts";
import type { DiagnoseContext, Outcome } from "../check.ts";
import { deviceGroup, deviceNumber } from "../device-number.ts";
import { agentPid } from "../facts.ts";
import { found, skipped } from "../outcomes.ts";
import { countUsbDrops, type KernelRecord } from "./kernel-log.ts";
import type { PresentPort } from "./port.ts";
import { isIgnored, readHolders, runningProbers } from "./port-holders.ts";
import { accessOf } from "./rights.ts";

const DAY_US = 86_400_000_000;
const MOST_DROPS = 5;

export async function judgeRights({ path: place, device }: PresentPort, context: DiagnoseContext): Promise<Outcome> {
  const { user } = context;
  const access = await accessOf(user, device, "rw");
  switch (access.kind) {
    case "granted":
      if (isBarredByUnit(context)) return await notAllowed(place, device, context);
      return found("pass", `用户 ${user.name} 可读写`, `the user ${user.name} may read and write it`, {
        value: { user: user.name },
      });
    case "missing":
      return skipped("设备刚刚消失", "the device has just gone", "ser.present");
    case "unknown":
      return skipped(`无法查看（${access.reason}），请用 sudo`, `may not be looked at (${access.reason}): use sudo`);
    case "denied": {
      const group = groupById(access.gid)?.name ?? String(access.gid);
      return found(
        "fail",
        `用户 ${user.name} 无权访问 ${place}（${access.at} 为 ${group} ${access.mode}）`,
        `${user.name} may not use ${place} (${access.at} is ${group} ${access.mode})`,
        {
          value: { user: user.name, at: access.at, mode: access.mode, group },
          remedy: remedyOfRights(access.gid, group, user.name, access.at),
        },
      );
    }
  }
}

/**
 * Whether the running agent is refused what its user may have: its unit allows it certain devices alone. Nobody else can see
 * that, since the list holds for the processes of the unit.
 */
function isBarredByUnit({ agent }: DiagnoseContext): boolean {
  if (agent.kind !== "running" || !isTable(agent.status.bridge)) return false;
  const { problem } = agent.status.bridge;
  if (!isTable(problem) || !isTable(problem.params)) return false;
  return problem.code === "BRIDGE_PERMISSION" && problem.params.variant === "unit";
}

async function notAllowed(place: string, device: string, { user, installed }: DiagnoseContext): Promise<Outcome> {
  const number = await deviceNumber(device);
  const { major, minor, driver = "?", module } = number ?? {};
  const which = number === undefined ? device : `${device}, ${driver} ${major}:${minor}`;
  return found(
    "fail",
    `用户 ${user.name} 可读写 ${place}，但服务单元的设备清单未放行（${which}），只有服务打不开`,
    `${user.name} may use ${place}, but the service's unit does not allow the device (${which}): only the service cannot open it`,
    {
      value: { user: user.name, ...number },
      remedy: installed && number !== undefined ? allow(deviceGroup(number), module) : letIn(which),
    },
  );
}

/**
 * No `systemctl set-property`: it would pin the whole list, so that a later package's could add nothing. A name is looked up
 * when the unit starts, and its module has to be there then.
 */
function allow(group: string, module: string | undefined): Bilingual {
  const directory = "/etc/systemd/system/facepay-agent.service.d";
  const write = `mkdir -p ${directory} && printf '[Service]\\nDeviceAllow=${group} rw\\n' > ${directory}/device.conf`;
  const command = `${write} && systemctl daemon-reload && systemctl restart facepay-agent`;
  const early = `echo ${module} > /etc/modules-load.d/facepay-agent.conf`;
  const isNamed = module !== undefined && !/\d$/.test(group);
  return {
    zh: `请放行此设备：${command}${isNamed ? `；并让驱动在开机时提前加载：${early}` : ""}`,
    en: `Allow the device: ${command}${isNamed ? ` and load its driver early in the boot: ${early}` : ""}`,
  };
}

function letIn(which: string): Bilingual {
  return {
    zh: `请在运行服务的容器或沙箱中放行此设备（${which}）。`,
    en: `Let the container or sandbox of the agent have the device (${which}).`,
  };
}

function remedyOfRights(gid: number, group: string, user: string, at: string): Bilingual | undefined {
  if (gid === 0) {
    return {
      zh: `请安装随包 udev 规则，或执行 chgrp dialout ${at} && chmod 0660 ${at}，然后重新插拔。`,
      en: `Install the supplied udev rule, or chgrp dialout ${at} && chmod 0660 ${at}; then re-plug.`,
    };
  }
  return {
    zh: `请执行 usermod -aG ${group} ${user}，然后重启服务。`,
    en: `Run usermod -aG ${group} ${user}, then restart the service.`,
  };
}

export async function judgeBusy(
  port: PresentPort,
  context: DiagnoseContext,
  line: BridgeLine,
  signal: AbortSignal,
): Promise<Outcome> {
  const { clock } = context;
  const options = { agentPid: await agentPid(context) };
  const { others, hidden } = await readHolders(port.device, options, (ms) => clock.sleep(ms, signal));
  if (others.length > 0) return busy(port.path, others);
  if (hidden > 0) {
    // What cannot be seen shows when the port is wanted.
    const talk = await probeBridge(context, line);
    if (talk.kind === "spoken" && talk.failure?.code === "BRIDGE_BUSY") return busy(port.path, []);
  }
  const probers = port.usb === undefined ? [] : await runningProbers();
  if (probers.length > 0 && !(await isIgnored(port.device))) {
    const names = holdersText(probers);
    return found("warn", `${names} 在运行，可能会抢占串口`, `${names} runs and may take the port`, {
      value: { probers },
      remedy: {
        zh: `请停用 ${names}，或安装随包 udev 规则让它忽略本设备。`,
        en: `Disable ${names}, or install the supplied udev rule that makes it leave this device alone.`,
      },
    });
  }
  return found("pass", "没有其他程序占用", "no other program has it open", { value: { hidden } });
}

function busy(path: string, holders: readonly PortHolder[]): Outcome {
  if (holders.length === 0)
    return found("fail", "被其他程序占用（用 sudo 可看到名称）", "another program has it (sudo shows which)", {
      value: { openers: [] },
    });
  const failure = { code: "BRIDGE_BUSY", params: { path, holders } };
  const { zh, en } = failureText(failure);
  return found("fail", zh, en, { value: { openers: holders }, remedy: remedyOf(failure) });
}

/** @param bootMs the time since the boot, on the clock that the kernel's log counts by */
export function judgeDrops(records: readonly KernelRecord[] | undefined, usbName: string, bootMs: number): Outcome {
  if (records === undefined)
    return skipped("无权读取内核日志，请用 sudo", "the kernel's log may not be read: use sudo");
  const drops = countUsbDrops(records, usbName, bootMs * 1_000 - DAY_US);
  const status = drops === 0 ? "pass" : drops <= MOST_DROPS ? "warn" : "fail";
  return found(status, `24 小时内断开 ${drops} 次`, `${drops} in 24 h`, { value: { drops } });
}
