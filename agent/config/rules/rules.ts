import path from "node:path";
import type { SomeValues } from "../keys/schema.ts";
import { namedFiles } from "../secrets/named-files.ts";
import type { Settings } from "../settings.ts";
import { driverRules } from "./driver-rules.ts";
import { Findings } from "./findings.ts";
import { wechatpayRules } from "./wechatpay-rules.ts";

/** The rules between keys (specification 2), each reported at the key that a person would change. */
export function checkRules(values: SomeValues, settings: Settings, mainFile: string): Findings {
  const found = new Findings(values, settings, mainFile);
  identityRules(found);
  driverRules(found);
  wechatpayRules(found);
  refreshRules(found);
  socketRules(found);
  copyRules(found);
  writtenRules(found);
  return found;
}

function identityRules(found: Findings): void {
  if (!found.has("identity.device_id") || !found.has("identity.device_id_file")) return;
  found.problem(
    "identity.device_id_file",
    { zh: "与 device_id 同时给出", en: "is given together with device_id" },
    { zh: "请只保留 device_id 或 device_id_file", en: "keep either device_id or device_id_file" },
  );
}

function refreshRules(found: Findings): void {
  const { refresh_at: steady, refresh_at_unsteady: unsteady } = found.values.refresh;
  if (!found.has("refresh.refresh_at_unsteady") || steady === undefined || unsteady === undefined) return;
  if (unsteady <= steady) return;
  found.warning(
    "refresh.refresh_at_unsteady",
    {
      zh: `大于 refresh_at（${steady}）：网络不稳时反而更晚更新`,
      en: `is above refresh_at (${steady}): with an unsteady network the refresh would come later`,
    },
    { zh: "请写不大于 refresh_at 的值", en: "write a value not above refresh_at" },
  );
}

function socketRules(found: Findings): void {
  const { socket, admin_socket, socket_mode, admin_socket_mode } = found.values.api;
  found.socketPath("api.socket", socket);
  found.socketPath("api.admin_socket", admin_socket);
  if (socket !== undefined && socket === admin_socket) {
    found.problem(
      "api.admin_socket",
      { zh: "与 api.socket 是同一路径", en: "is the same path as api.socket" },
      { zh: "请写另一个路径", en: "write another path" },
    );
  }
  openToAll(found, "api.socket_mode", socket_mode);
  openToAll(found, "api.admin_socket_mode", admin_socket_mode);
}

function copyRules(found: Findings): void {
  const { path: copy, mode } = found.values.file_copy;
  const alone = ["file_copy.mode", "file_copy.group"].find((key) => found.has(key));
  if (!found.has("file_copy.path") && alone !== undefined) {
    found.problem(
      "file_copy.path",
      { zh: `缺少，但写了 ${alone}`, en: `is missing, but ${alone} is given` },
      {
        zh: '请写 path = "/run/facepay-agent/authinfo.json"，或删除 [file_copy]',
        en: 'write path = "/run/facepay-agent/authinfo.json", or take [file_copy] out',
      },
    );
  }
  if (copy !== undefined) openToAll(found, "file_copy.mode", mode);
}

/**
 * The agent puts these two in the place of whatever stands there, and takes them away when they are not wanted any more: that must be no
 * file that anybody else needs, least of all a key or the kept state.
 */
function writtenRules(found: Findings): void {
  const { file_copy, metrics, identity, driver, store, api } = found.values;
  const needed = new Map<string, string | undefined>([
    ...namedFiles(found.values),
    ["identity.device_id_file", identity.device_id_file],
    ["driver.path", driver.path],
    ["api.socket", api.socket],
    ["api.admin_socket", api.admin_socket],
  ]);
  const directories = [
    [path.join(path.dirname(found.mainFile), "config.d"), { zh: "配置目录 config.d", en: "config.d" }],
    [store.directory, { zh: "store.directory", en: "store.directory" }],
  ] as const;
  const written = [
    ["file_copy.path", file_copy.path],
    ["metrics.textfile", metrics.textfile],
  ] as const;
  for (const [key, file] of written) {
    if (file === undefined) continue;
    const [taken] = [...needed].find(([, other]) => other !== undefined && isOne(file, other)) ?? [];
    const [, inside] = directories.find(([directory]) => directory !== undefined && isWithin(directory, file)) ?? [];
    const another = { zh: "请写另一个路径", en: "write another path" };
    if (taken !== undefined) {
      found.problem(key, { zh: `与 ${taken} 是同一路径`, en: `is the same path as ${taken}` }, another);
    } else if (isOne(file, found.mainFile)) {
      found.problem(key, { zh: "就是配置文件", en: "is the configuration file itself" }, another);
    } else if (inside !== undefined) {
      found.problem(key, { zh: `位于${inside.zh}之内`, en: `is inside ${inside.en}, where it could do harm` }, another);
    }
    needed.set(key, file);
  }
}

/** Also with the name under which the file is written at first (agent/common/files/replace-file.ts). */
function isOne(written: string, other: string): boolean {
  return written === other || `${written}.tmp` === other || written === `${other}.tmp`;
}

function isWithin(directory: string, file: string): boolean {
  return file === directory || file.startsWith(`${directory}${path.sep}`);
}

function openToAll(found: Findings, key: string, mode: number | undefined): void {
  if (mode === undefined || (mode & 0o007) === 0) return;
  found.warning(
    key,
    { zh: "本机任何用户都能访问", en: "lets every user of this machine in" },
    { zh: '请用组来授权，例如 "0660"', en: 'grant access by group instead, as with "0660"' },
  );
}
