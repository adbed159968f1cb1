import { choice, type Form, filePath, integer, passedOn, text, withDefault, yesNo } from "./fields.ts";
import type { Section } from "./key-table.ts";

const usbId: Form = {
  pattern: /^(0[xX])?[0-9A-Fa-f]{4}$/,
  expects: { id: "form.usb_id" },
};
const usbSerial: Form = {
  pattern: /^[\x20-\x7e]{1,126}$/,
  expects: { id: "form.usb_serial" },
};

export const driverKeys = {
  about: { id: "section.driver" },
  fields: {
    type: withDefault(choice({ id: "key.driver.type" }, '"serial"', ["serial", "socket", "simulator"]), "serial"),
    path: filePath({ id: "key.driver.path" }, '"/dev/serial/by-id/usb-..."'),
    vendor_id: text({ id: "key.driver.vendor_id" }, '"1a86"', usbId),
    product_id: text({ id: "key.driver.product_id" }, '"7523"', usbId),
    serial_number: text({ id: "key.driver.serial_number" }, '"A50285BI"', usbSerial),
    baud_rate: withDefault(integer({ id: "key.driver.baud_rate" }, "115200", 1_200, 4_000_000), 115_200),
    data_bits: withDefault(choice({ id: "key.driver.data_bits" }, "8", [7, 8]), 8),
    parity: withDefault(choice({ id: "key.driver.parity" }, '"none"', ["none", "even", "odd"]), "none"),
    stop_bits: withDefault(choice({ id: "key.driver.stop_bits" }, "1", [1, 2]), 1),
    rtscts: withDefault(yesNo({ id: "key.driver.rtscts" }, "false"), false),
    call_timeout_ms: withDefault(integer({ id: "key.driver.call_timeout_ms" }, "10000", 50, 120_000), 10_000),
    init_timeout_ms: withDefault(integer({ id: "key.driver.init_timeout_ms" }, "15000", 50, 120_000), 15_000),
  },
} as const satisfies Section;

export const initKeys = {
  about: { id: "section.driver.init" },
  open: true,
  fields: {
    ip: passedOn({ id: "key.driver.init.ip" }, '"10.0.0.2"'),
    proxy_type: passedOn({ id: "key.driver.init.proxy_type" }, "1"),
    passwd_file: filePath({ id: "key.driver.init.passwd_file" }, '"/etc/facepay-agent/sdk-passwd"'),
  },
} as const satisfies Section;
