import { shellWord } from "../../common/shell-word.ts";

/** What does not go together in a configuration: said of the key that a person would change, and what to do. */
export const configRulesEn = {
  "rule.remove_key": "Remove it.",
  "rule.given_with": ({ other }: { readonly other: string }) => `is given together with ${other}`,
  "rule.keep_either": ({ one, other }: { readonly one: string; readonly other: string }) =>
    `Keep either ${one} or ${other}.`,
  "rule.unsteady_later": ({ steady }: { readonly steady: number }) =>
    `is above refresh_at (${steady}): with an unsteady network the refresh would come later`,
  "rule.unsteady_smaller": "Write a value not above refresh_at.",
  "rule.same_path": ({ other }: { readonly other: string }) => `is the same path as ${other}`,
  "rule.another_path": "Write another path.",
  "rule.copy_path_missing": ({ alone }: { readonly alone: string }) => `is missing, but ${alone} is given`,
  "rule.copy_path_write": 'Write path = "/run/facepay-agent/authinfo.json", or remove [file_copy].',
  "rule.is_main_file": "is the configuration file itself",
  "rule.inside": ({ directory }: { readonly directory: string }) => `is inside ${directory}, where it could do harm`,
  "rule.open_to_all": "lets every user of this machine in",
  "rule.grant_by_group": 'Grant access by group instead, as with "0660".',
  "rule.socket_path_long": ({ octets, most }: { readonly octets: number; readonly most: number }) =>
    `is ${octets} bytes long as an absolute path; a unix socket's path has at most ${most}`,
  "rule.shorter_path": "Write a shorter path.",
  "driver.filled_in": "is filled in by the agent itself",
  "driver.socket_missing": "is missing: nothing names the bridge's socket",
  "driver.write_socket": 'Write path = "/run/.../bridge.sock".',
  "driver.unused": ({ type }: { readonly type: string }) => `has no effect with type = "${type}"`,
  "driver.keep_path_or_usb": "Keep either path, or vendor_id and product_id.",
  "driver.serial_missing": "is missing: nothing names the serial device",
  "driver.write_serial": 'Write path = "/dev/serial/by-id/...", or both vendor_id and product_id.',
  "driver.shared_usb_id": ({ pair }: { readonly pair: string }) =>
    `is not enough: many devices are USB ${pair}, and another one might be found`,
  "driver.add_serial_number": "Add serial_number, or write the by-id path as path.",
  "telemetry.missing": ({ alone }: { readonly alone: string }) => `is missing, but ${alone} is given`,
  "telemetry.broker_write": 'Write broker = "mqtts://mqtt.example.com:8883", or remove [telemetry].',
  "telemetry.write_or_remove": ({ key, alone }: { readonly key: string; readonly alone: string }) =>
    `Write ${key}, or remove ${alone}.`,
  "wechatpay.connect_longer": ({ attempt }: { readonly attempt: number }) =>
    `has no effect: it is longer than attempt_timeout_ms (${attempt})`,
  "wechatpay.smaller_value": "Write a smaller value.",
  "wechatpay.key_on_device":
    "is not true: direct mode puts the merchant's key on this terminal, which WeChat Pay advises against",
  "wechatpay.use_gateway_or_accept": 'Use mode = "gateway"; or accept the risk with accept_key_on_device = true',
  "wechatpay.no_credential": "is missing, and so is any other credential for the gateway",
  "wechatpay.write_credential": "Write client_cert_file and client_key_file, or bearer_token_file, or all of them.",
  "wechatpay.ca_for_weixin": "is refused for hosts of weixin.qq.com: it could vouch for an impostor",
  "wechatpay.remove_ca": "Remove ca_file.",
  "wechatpay.path_in_direct": ({ entry, path }: { readonly entry: number; readonly path: string }) =>
    `entry ${entry} has the path ${path}: in direct mode the path is signed, and WeChat Pay would refuse every request`,
  "wechatpay.without_path": ({ origin }: { readonly origin: string }) => `Write "${origin}", without a path.`,
  "wechatpay.v3_twice": "already holds /v3, and /v3/offlineface/authinfo is appended",
  "wechatpay.leave_v3_out": "Leave out /v3 and what follows.",
  "wechatpay.needed": ({ mode }: { readonly mode: string }) => `is missing: ${mode} mode needs it`,
  "wechatpay.other_mode": ({ mode, present }: { readonly mode: string; readonly present: string }) =>
    `belongs to ${mode} mode, but mode is "${present}"`,
  "wechatpay.remove_or_switch": ({ key, mode }: { readonly key: string; readonly mode: string }) =>
    `Remove ${key}, or write mode = "${mode}".`,
  "place.read_only": ({ directory }: { readonly directory: string }) =>
    `the service's unit makes ${directory} read-only (ProtectSystem=strict): writing there fails (EROFS)`,
  "place.make_writable": ({ directory, dropIn }: { readonly directory: string; readonly dropIn: string }) =>
    `Name a file in /run/facepay-agent; or give the user facepay-agent the right to write there, make ${dropIn} with these lines:\n  [Service]\n  ReadWritePaths=-${directory}\nand run:\n  systemctl daemon-reload && systemctl restart facepay-agent`,
  "place.taken": ({ path, expected }: { readonly path: string; readonly expected: string }) =>
    `${path} exists and is not a ${expected}`,
  "place.move_away": ({ path, key }: { readonly path: string; readonly key: string }) =>
    `Move ${shellWord(path)} away, or write another path as ${key}.`,
  "place.socket": "socket",
  "place.directory": "directory",
};
