import { choice, type Form, filePath, integer, passedOn, text, withDefault, yesNo } from "./fields.ts";
import type { Section } from "./key-table.ts";

const usbId: Form = {
  pattern: /^(0[xX])?[0-9A-Fa-f]{4}$/,
  zh: "带引号的 4 位十六进制数",
  en: "four hexadecimal digits in quotes",
};
const usbSerial: Form = {
  pattern: /^[\x20-\x7e]{1,126}$/,
  zh: "1 到 126 个可打印 ASCII 字符",
  en: "1 to 126 printable ASCII characters",
};

export const driverKeys = {
  about: { zh: "通向刷脸 SDK 的刷脸模组", en: "The bridge to the face SDK" },
  fields: {
    type: withDefault(
      choice("连接方式", "how the bridge is reached", '"serial"', ["serial", "socket", "simulator"]),
      "serial",
    ),
    path: filePath(
      "串口设备，或刷脸模组的 unix 套接字",
      "the serial device, or the bridge's unix socket",
      '"/dev/serial/by-id/usb-..."',
    ),
    vendor_id: text("代替 path：USB 厂商号", "instead of path: USB vendor id", '"1a86"', usbId),
    product_id: text("代替 path：USB 产品号", "instead of path: USB product id", '"7523"', usbId),
    serial_number: text(
      "USB 序列号，区分相同的转接器",
      "USB serial number, tells equal adapters apart",
      '"A50285BI"',
      usbSerial,
    ),
    baud_rate: withDefault(integer("波特率", "baud rate", "115200", 1_200, 4_000_000), 115_200),
    data_bits: withDefault(choice("数据位", "data bits", "8", [7, 8]), 8),
    parity: withDefault(choice("校验", "parity", '"none"', ["none", "even", "odd"]), "none"),
    stop_bits: withDefault(choice("停止位", "stop bits", "1", [1, 2]), 1),
    rtscts: withDefault(yesNo("硬件流控", "hardware flow control", "false"), false),
    call_timeout_ms: withDefault(
      integer("一次 SDK 调用的时限（毫秒）", "deadline of one SDK call, ms", "10000", 50, 120_000),
      10_000,
    ),
    init_timeout_ms: withDefault(
      integer("initWxpayface 的时限（毫秒）", "deadline of initWxpayface, ms", "15000", 50, 120_000),
      15_000,
    ),
  },
} as const satisfies Section;

export const initKeys = {
  about: {
    zh: "initWxpayface 的附加参数，原样传递；其它键同样允许",
    en: "Extra parameters of initWxpayface, passed unchanged; other keys are allowed as well",
  },
  open: true,
  fields: {
    ip: passedOn("代理地址", "address of the SDK's proxy", '"10.0.0.2"'),
    proxy_type: passedOn("0 无，1 HTTP 隧道，2 Socks5，3 HTTP", "0 none, 1 HTTP tunnel, 2 Socks5, 3 HTTP", "1"),
    passwd_file: filePath("存有 passwd 的文件", "the file that holds passwd", '"/etc/facepay-agent/sdk-passwd"'),
  },
} as const satisfies Section;
