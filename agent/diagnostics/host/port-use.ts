import type { PortHolder } from "../../common/failure-params.ts";
import { groupById } from "../../common/files/group.ts";
import { isTable } from "../../config/keys/fields.ts";
import type { Text } from "../../messages/message.ts";
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
      return found(
        "pass",
        { id: "line.may_use", params: { user: user.name } },
        {
          value: { user: user.name },
        },
      );
    case "missing":
      return skipped({ id: "line.gone" }, "ser.present");
    case "unknown":
      return skipped({ id: "line.may_not_look", params: { reason: access.reason } });
    case "denied": {
      const group = groupById(access.gid)?.name ?? String(access.gid);
      return found(
        "fail",
        { id: "line.may_not_use", params: { user: user.name, path: place, at: access.at, group, mode: access.mode } },
        {
          value: { user: user.name, at: access.at, mode: access.mode, group },
          remedy: remedyOfRights(access.gid, group, user.name, access.at),
        },
      );
    }
  }
}

/**
 * Whether the running agent is refused what its user may have: its unit allows it certain devices alone. No other process can see
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
    { id: "line.unit_denies", params: { user: user.name, path: place, which } },
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
function allow(group: string, module: string | undefined): Text {
  const directory = "/etc/systemd/system/facepay-agent.service.d";
  const write = `mkdir -p ${directory} && printf '[Service]\\nDeviceAllow=${group} rw\\n' > ${directory}/device.conf`;
  const command = `${write} && systemctl daemon-reload && systemctl restart facepay-agent`;
  const early = `echo ${module} > /etc/modules-load.d/facepay-agent.conf`;
  const isNamed = module !== undefined && !/\d$/.test(group);
  return isNamed ? { id: "line.allow_early", params: { command, early } } : { id: "line.allow", params: { command } };
}

function letIn(which: string): Text {
  return { id: "line.allow_in_sandbox", params: { which } };
}

function remedyOfRights(gid: number, group: string, user: string, at: string): Text | undefined {
  if (gid === 0) {
    return { id: "line.udev_rule", params: { at } };
  }
  return { id: "line.join_group", params: { group, user } };
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
    return found(
      "warn",
      { id: "line.may_be_taken", params: { names } },
      {
        value: { probers },
        remedy: { id: "line.disable_prober", params: { names } },
      },
    );
  }
  return found("pass", { id: "line.free" }, { value: { hidden } });
}

function busy(path: string, holders: readonly PortHolder[]): Outcome {
  if (holders.length === 0) return found("fail", { id: "line.held_unseen" }, { value: { openers: [] } });
  const failure = { code: "BRIDGE_BUSY", params: { path, holders } };
  return found("fail", failure, { value: { openers: holders }, remedy: remedyOf(failure) });
}

/** @param bootMs the time since the boot, on the clock that the kernel's log counts by */
export function judgeDrops(records: readonly KernelRecord[] | undefined, usbName: string, bootMs: number): Outcome {
  if (records === undefined) return skipped({ id: "line.kernel_log" });
  const drops = countUsbDrops(records, usbName, bootMs * 1_000 - DAY_US);
  const status = drops === 0 ? "pass" : drops <= MOST_DROPS ? "warn" : "fail";
  return found(status, { id: "line.drops", params: { drops } }, { value: { drops } });
}
