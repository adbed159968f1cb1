import { plainUsbId } from "../addresses.ts";
import type { Findings } from "./findings.ts";

/** USB ids that so many different gadgets share that they say little. */
const SHARED_USB_IDS = new Set(["10c4:ea60", "1a86:7523", "1a86:55d4", "0403:6001"]);
const USB_KEYS = ["driver.vendor_id", "driver.product_id", "driver.serial_number"] as const;

/** How the bridge is found: exactly one way, and one that fits its type. */
export function driverRules(found: Findings): void {
  for (const key of ["driver.init.cmd", "driver.init.now"]) {
    if (!found.has(key)) continue;
    found.problem(key, { id: "driver.filled_in" }, { id: "rule.remove_key" });
  }
  const { type, path } = found.values.driver;
  if (type === "serial") serialRules(found);
  if (type === "socket") {
    found.socketPath("driver.path", path);
    if (!found.has("driver.path")) {
      found.problem("driver.path", { id: "driver.socket_missing" }, { id: "driver.write_socket" });
    }
  }
  if (type === undefined || type === "serial") return;
  // Only a warning: a drop-in that switches the type on a test bench may leave the rest as it is.
  const unused: string[] = USB_KEYS.filter((key) => found.has(key));
  if (type === "simulator" && found.has("driver.path")) unused.push("driver.path");
  for (const key of unused) {
    found.warning(key, { id: "driver.unused", params: { type } }, { id: "rule.remove_key" });
  }
}

function serialRules(found: Findings): void {
  const { vendor_id, product_id } = found.values.driver;
  const usbKey = USB_KEYS.find((key) => found.has(key));
  if (found.has("driver.path")) {
    if (usbKey === undefined) return;
    found.problem(usbKey, { id: "rule.given_with", params: { other: "path" } }, { id: "driver.keep_path_or_usb" });
  } else if (!found.has("driver.vendor_id") || !found.has("driver.product_id")) {
    found.problem("driver.path", { id: "driver.serial_missing" }, { id: "driver.write_serial" });
  } else if (vendor_id !== undefined && product_id !== undefined && !found.has("driver.serial_number")) {
    const pair = `${plainUsbId(vendor_id)}:${plainUsbId(product_id)}`;
    if (!SHARED_USB_IDS.has(pair)) return;
    found.warning(
      "driver.vendor_id",
      { id: "driver.shared_usb_id", params: { pair } },
      { id: "driver.add_serial_number" },
    );
  }
}
