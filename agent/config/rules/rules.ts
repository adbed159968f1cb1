import path from "node:path";
import type { AnyMessage } from "../../messages/message.ts";
import type { SomeValues } from "../keys/schema.ts";
import { namedFiles } from "../secrets/named-files.ts";
import type { Settings } from "../settings.ts";
import { driverRules } from "./driver-rules.ts";
import { Findings } from "./findings.ts";
import { telemetryRules } from "./telemetry-rules.ts";
import { wechatpayRules } from "./wechatpay-rules.ts";

/** The rules between keys (specification 2), each reported at the key that a person would change. */
export function checkRules(values: SomeValues, settings: Settings, mainFile: string): Findings {
  const found = new Findings(values, settings, mainFile);
  identityRules(found);
  driverRules(found);
  wechatpayRules(found);
  refreshRules(found);
  telemetryRules(found);
  socketRules(found);
  copyRules(found);
  writtenRules(found);
  return found;
}

function identityRules(found: Findings): void {
  if (!found.has("identity.device_id") || !found.has("identity.device_id_file")) return;
  found.problem(
    "identity.device_id_file",
    { id: "rule.given_with", params: { other: "device_id" } },
    { id: "rule.keep_either", params: { one: "device_id", other: "device_id_file" } },
  );
}

function refreshRules(found: Findings): void {
  const { refresh_at: steady, refresh_at_unsteady: unsteady } = found.values.refresh;
  if (!found.has("refresh.refresh_at_unsteady") || steady === undefined || unsteady === undefined) return;
  if (unsteady <= steady) return;
  found.warning(
    "refresh.refresh_at_unsteady",
    { id: "rule.unsteady_later", params: { steady } },
    { id: "rule.unsteady_smaller" },
  );
}

function socketRules(found: Findings): void {
  const { socket, admin_socket, socket_mode, admin_socket_mode } = found.values.api;
  found.socketPath("api.socket", socket);
  found.socketPath("api.admin_socket", admin_socket);
  if (socket !== undefined && socket === admin_socket) {
    found.problem(
      "api.admin_socket",
      { id: "rule.same_path", params: { other: "api.socket" } },
      { id: "rule.another_path" },
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
      { id: "rule.copy_path_missing", params: { alone } },
      { id: "rule.copy_path_write" },
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
    [path.join(path.dirname(found.mainFile), "config.d"), "config.d"],
    [store.directory, "store.directory"],
  ] as const;
  const written = [
    ["file_copy.path", file_copy.path],
    ["metrics.textfile", metrics.textfile],
  ] as const;
  for (const [key, file] of written) {
    if (file === undefined) continue;
    const [taken] = [...needed].find(([, other]) => other !== undefined && isOne(file, other)) ?? [];
    const [, inside] = directories.find(([directory]) => directory !== undefined && isWithin(directory, file)) ?? [];
    const another: AnyMessage = { id: "rule.another_path" };
    if (taken !== undefined) {
      found.problem(key, { id: "rule.same_path", params: { other: taken } }, another);
    } else if (isOne(file, found.mainFile)) {
      found.problem(key, { id: "rule.is_main_file" }, another);
    } else if (inside !== undefined) {
      found.problem(key, { id: "rule.inside", params: { directory: inside } }, another);
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
  found.warning(key, { id: "rule.open_to_all" }, { id: "rule.grant_by_group" });
}
