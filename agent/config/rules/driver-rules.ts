import { plainUsbId } from "../addresses.ts";
import type { Findings } from "./findings.ts";

/** USB ids that so many different gadgets share that they say little. */
const SHARED_USB_IDS = new Set(["10c4:ea60", "1a86:7523", "1a86:55d4", "0403:6001"]);
const USB_KEYS = ["driver.vendor_id", "driver.product_id", "driver.serial_number"] as const;

/** How the bridge is found: exactly one way, and one that fits its type. */
export function driverRules(found: Findings): void {
  for (const key of ["driver.init.cmd", "driver.init.now"]) {
    if (!found.has(key)) continue;
    found.problem(
      key,
      { zh: "由本服务自行填写", en: "is filled in by the agent itself" },
      { zh: "请删除", en: "take it out" },
    );
  }
  const { type, path } = found.values.driver;
  if (type === "serial") serialRules(found);
  if (type === "socket") {
    found.socketPath("driver.path", path);
    if (!found.has("driver.path")) {
      found.problem(
        "driver.path",
        { zh: "缺少：没有指定刷脸模组的套接字", en: "is missing: nothing names the bridge's socket" },
        { zh: '请写 path = "/run/.../bridge.sock"', en: 'write path = "/run/.../bridge.sock"' },
      );
    }
  }
  if (type === undefined || type === "serial") return;
  // Only a warning: a drop-in that switches the type on a test bench may leave the rest as it is.
  const unused: string[] = USB_KEYS.filter((key) => found.has(key));
  if (type === "simulator" && found.has("driver.path")) unused.push("driver.path");
  for (const key of unused) {
    found.warning(
      key,
      { zh: `在 type = "${type}" 时不起作用`, en: `has no effect with type = "${type}"` },
      { zh: "请删除", en: "take it out" },
    );
  }
}

function serialRules(found: Findings): void {
  const { vendor_id, product_id } = found.values.driver;
  const usbKey = USB_KEYS.find((key) => found.has(key));
  if (found.has("driver.path")) {
    if (usbKey === undefined) return;
    found.problem(
      usbKey,
      { zh: "与 path 同时给出", en: "is given together with path" },
      { zh: "请只保留 path，或只保留 vendor_id 和 product_id", en: "keep either path, or vendor_id and product_id" },
    );
  } else if (!found.has("driver.vendor_id") || !found.has("driver.product_id")) {
    found.problem(
      "driver.path",
      { zh: "缺少：没有指定串口设备", en: "is missing: nothing names the serial device" },
      {
        zh: '请写 path = "/dev/serial/by-id/..."，或同时写 vendor_id 和 product_id',
        en: 'write path = "/dev/serial/by-id/...", or both vendor_id and product_id',
      },
    );
  } else if (vendor_id !== undefined && product_id !== undefined && !found.has("driver.serial_number")) {
    const pair = `${plainUsbId(vendor_id)}:${plainUsbId(product_id)}`;
    if (!SHARED_USB_IDS.has(pair)) return;
    found.warning(
      "driver.vendor_id",
      {
        zh: `许多设备都是 USB ${pair}，可能找到别的设备`,
        en: `is not enough: many gadgets are USB ${pair}, and another one might be found`,
      },
      {
        zh: "请补充 serial_number，或把 by-id 路径写为 path",
        en: "add serial_number, or write the by-id path as path",
      },
    );
  }
}
