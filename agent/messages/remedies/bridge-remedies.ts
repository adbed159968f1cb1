import type { Remedy } from "./remedy.ts";

/** What the technician does about a failure of the bridge and the SDK behind it, by the id of the check that looks for it (docs/operations/diagnose.md). */
export const bridgeRemedies = {
  "ser.present": { zh: "未找到刷脸模组，请重新插拔 USB 线。", en: "Bridge not found; re-plug its USB cable." },
  "ser.unique": {
    zh: "发现多个相同设备，请在配置中指定 by-id 路径。",
    en: "Several devices match; set the by-id path in the configuration.",
    edits: true,
  },
  "ser.perm": {
    zh: "无权限访问串口，请核对用户组后重新插拔。",
    en: "No permission for the serial device; check the user's groups and re-plug.",
  },
  "ser.busy": {
    zh: "串口被占用，请停止占用它的程序（如 ModemManager、brltty）。",
    en: "The port is in use; stop the other program (such as ModemManager or brltty).",
  },
  "ser.usb_resets": {
    zh: "刷脸模组断开，请检查线缆和接口，避免使用集线器。",
    en: "The bridge was lost; check cable and port, avoid hubs.",
  },
  "ser.handshake": {
    zh: "刷脸模组无响应，请断电 10 秒后重试。",
    en: "The bridge does not answer; power-cycle it for 10 s.",
  },
  "ser.protocol": {
    zh: "刷脸模组版本或应答不符，请升级其固件。",
    en: "The bridge speaks another version; update its firmware.",
  },
  "ser.crc": {
    zh: "数据有干扰，请更换线缆并远离强电。",
    en: "Line noise; change the cable and keep it away from mains.",
  },
  "ser.device_data": {
    zh: "刷脸 SDK 未返回数据，请检查摄像头或模组连接。",
    en: "The face SDK gives no data; check the camera module.",
  },
  "sdk.library": {
    zh: "找不到刷脸 SDK 的库文件，请安装厂商 SDK，或核对 facepay-bridge 的 --library 路径。",
    en: "The face SDK's library is missing; install the vendor's SDK or correct --library of facepay-bridge.",
  },
  "sdk.arch": {
    zh: "刷脸 SDK 的库不适用于本机处理器，请向厂商索取对应架构的版本。",
    en: "The face SDK's library is built for another processor; ask the vendor for this board's build.",
  },
  "sdk.symbols": {
    zh: "该库不是微信刷脸 SDK 或版本过旧，请核对 --library 或升级 SDK。",
    en: "The library lacks the face SDK's functions; correct --library or update the SDK.",
  },
  "sdk.loads": {
    zh: "刷脸 SDK 的库无法加载，请用 ldd 检查依赖和文件权限，或重装 SDK。",
    en: "The face SDK's library does not load; check its dependencies (ldd) and mode, or reinstall the SDK.",
  },
  "sdk.service": {
    zh: "刷脸服务 WxpayFaceService 未运行，请启动该服务后重试。",
    en: "The face service (WxpayFaceService) is not running; start it.",
  },
  "sdk.stable": {
    zh: "刷脸 SDK 崩溃或无响应，已自动重启；反复出现请检查摄像头并升级 SDK。",
    en: "The face SDK crashed or hung and was restarted; if it recurs, check the camera and update the SDK.",
  },
} as const satisfies Readonly<Record<string, Remedy>>;
