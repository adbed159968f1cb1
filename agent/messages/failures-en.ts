import type { AnswerFault, FailureId, FailureParams, HttpFailure } from "../common/failure-params.ts";
import { holdersText } from "./remedies/port-holder-remedy.ts";
import { gatewayRefusal, gatewayRefusalsEn, problemTitlesEn } from "./replies-en.ts";

/** A text for every failure, made of its parameters. Both languages satisfy this type, so a missing text or parameter does not compile. */
export type FailureTexts = { readonly [Id in FailureId]: (params: FailureParams[Id]) => string };

/** What is wrong with a file that was read or opened; a code that is not here is the system's. */
export type FileFaultTexts = Readonly<Record<FileFault, string>>;
export type FileFault =
  | "not_regular"
  | "symbolic_link"
  | "too_long"
  | "not_sealed"
  | "format_version"
  | "state_format"
  | "truncated"
  | "header"
  | "other_key"
  | "tampered"
  | "missing";

export const fileFaultsEn: FileFaultTexts = {
  not_regular: "not a regular file",
  symbolic_link: "a symbolic link",
  too_long: "too long",
  not_sealed: "not a sealed state file",
  format_version: "unknown format version",
  state_format: "unknown state format",
  truncated: "truncated",
  header: "unreadable header",
  other_key: "sealed with another key",
  tampered: "damaged or changed",
  missing: "missing",
};

const fault = (code: string) => (fileFaultsEn as Readonly<Record<string, string>>)[code] ?? code;

const answerFaults: Readonly<Record<AnswerFault, string>> = {
  not_utf8: "its answer is not UTF-8",
  bom: "its answer begins with a byte order mark",
  nul: "a NUL octet follows the JSON of its answer",
  not_json: "its answer is not JSON",
  too_deep: "its answer is nested too deeply",
  batch: "its answer is a list (a batch)",
  not_object: "its answer is not a JSON object",
  jsonrpc: 'its answer has no "jsonrpc":"2.0"',
  result_and_error: 'its answer has both "result" and "error"',
  no_result: 'its answer has neither "result" nor "error"',
  error_form: "the error in its answer has no code and message",
  no_id: "its answer has no id",
  id_type: "the id of its answer is not a number",
  other_id: "its answer has another id",
};

const said = (text: string | undefined) => (text === undefined ? "" : `: ${text}`);

/** A gateway of ours says in its code what it refuses; what anybody else said is repeated. */
const http = ({ httpStatus, answerCode, answerMessage, answerField }: HttpFailure) => {
  const own = gatewayRefusal(answerCode, gatewayRefusalsEn, problemTitlesEn);
  const told = own === undefined ? [answerCode, answerMessage] : [answerCode, own, answerField];
  const text = told.filter((part) => part !== undefined).join(": ");
  return `HTTP ${httpStatus}${text === "" ? "" : ` ${text}`}`;
};

export const failuresEn: FailureTexts = {
  BRIDGE_NOT_FOUND: ({ path }) => `${path} does not exist`,
  "BRIDGE_NOT_FOUND.socket": ({ path }) => `no program listens on ${path}`,
  "BRIDGE_NOT_FOUND.usb": ({ usb }) => `no serial device with USB id ${usb} is plugged in`,
  BRIDGE_AMBIGUOUS: ({ usb, candidates }) =>
    `${candidates.length} serial devices have USB id ${usb}: ${candidates.join(", ")}; set driver.path to one of them`,
  BRIDGE_PERMISSION: ({ path }) => `this user may not open ${path}`,
  "BRIDGE_PERMISSION.unit": ({ path }) => `${path} is not among the devices that the service may open`,
  BRIDGE_BUSY: ({ path, holders = [] }) =>
    `${path} is in use by ${holders.length === 0 ? "another program" : holdersText(holders)}`,
  BRIDGE_OPEN_FAILED: ({ path, error }) => `${path} could not be opened: ${error}`,
  "BRIDGE_OPEN_FAILED.unexpected": ({ error }) => `the bridge could not be opened: ${error}`,
  "BRIDGE_OPEN_FAILED.not_serial": ({ path }) => `${path} is not a serial device`,
  "BRIDGE_OPEN_FAILED.late": ({ path, ms }) => `${path} did not open within ${ms} ms`,
  BRIDGE_LOST: () => "the line is gone",
  "BRIDGE_LOST.path": ({ path }) => `${path} is gone`,
  "BRIDGE_LOST.closed_by_peer": () => "the bridge closed the line",
  "BRIDGE_LOST.unresponsive": () => "the device no longer answers the system",
  "BRIDGE_LOST.not_released": () => "the device was not released in time",
  "BRIDGE_LOST.unexpected": ({ error }) => `the line failed: ${error}`,
  BRIDGE_NOT_READY: () => "the bridge is not ready yet",
  "BRIDGE_NOT_READY.starting": () => "the agent has just started and has not opened the bridge yet",
  "BRIDGE_NOT_READY.not_open": () => "the line is not open",
  "BRIDGE_NOT_READY.queue_full": () => "too many calls are waiting for the bridge",
  BRIDGE_TIMEOUT: ({ method, ms }) => `no answer to ${method} within ${ms} ms`,
  "BRIDGE_TIMEOUT.repeated": ({ count }) => `${count} calls in a row were not answered`,
  BRIDGE_FOREIGN_DATA: ({ octets, text, echo }) =>
    `${octets} octets of ${text ? "text" : "data"} came, none of them in the bridge's protocol${echo ? ", and the agent's own calls come back" : ""}`,
  BRIDGE_ECHO: () => "only the agent's own calls come back",
  "BRIDGE_PROTOCOL.answer": ({ wrong }) => `the bridge answers, but ${answerFaults[wrong]}`,
  "BRIDGE_PROTOCOL.hello_not_object": () => "the answer to hello is not an object",
  "BRIDGE_PROTOCOL.version": ({ theirs, ours }) => `the bridge speaks protocol "${theirs}", this agent ${ours}`,
  "BRIDGE_PROTOCOL.member_missing": ({ member }) => `the answer to hello has no ${member}`,
  "BRIDGE_PROTOCOL.member_invalid": ({ member, longest }) =>
    `${member} in the answer to hello is not a text of at most ${longest} characters`,
  "BRIDGE_PROTOCOL.device_id": () => "device_id in the answer to hello is not 1 to 32 printable ASCII characters",
  BRIDGE_REFUSED_CALL: (params) =>
    `the bridge refused the call with JSON-RPC error ${params.rpcCode}${said(params.said)}`,
  "BRIDGE_REFUSED_CALL.too_long": ({ octets, most }) => `the call has ${octets} octets, a frame holds ${most}`,
  BRIDGE_CLOSED: () => "the connection to the bridge was closed",
  "BRIDGE_CLOSED.stopping": () => "the agent is stopping",
  "ATTEMPT_TIMEOUT.line": ({ ms }) => `bridge and SDK have not given a rawdata within the ${ms} ms of the attempt`,
  "ATTEMPT_TIMEOUT.wechatpay": ({ ms }) => `WeChat Pay had not answered when the ${ms} ms of the attempt were over`,
  SDK_LIBRARY_MISSING: ({ library }) => `${library} does not exist`,
  "SDK_LIBRARY_MISSING.reported": (params) => `the bridge cannot find the SDK's library${said(params.said)}`,
  SDK_LIBRARY_ARCH: ({ library, built, board }) => `${library} is built for ${built}, this board is ${board}`,
  "SDK_LIBRARY_ARCH.windows": ({ library, board }) =>
    `${library} is a Windows library, this board needs one for Linux on ${board}`,
  "SDK_LIBRARY_ARCH.reported": (params) => `the SDK's library is built for another processor${said(params.said)}`,
  SDK_LIBRARY_SYMBOL: ({ library, symbol }) => `${library} has no function ${symbol}`,
  "SDK_LIBRARY_SYMBOL.reported": (params) => `the SDK's library lacks a function${said(params.said)}`,
  SDK_LIBRARY_UNUSABLE: ({ library, error }) => `${library} cannot be loaded: ${error}`,
  "SDK_LIBRARY_UNUSABLE.not_file": ({ library }) => `${library} is not a file`,
  "SDK_LIBRARY_UNUSABLE.not_elf": ({ library }) => `${library} is not a Linux library (not an ELF file)`,
  "SDK_LIBRARY_UNUSABLE.truncated": ({ library }) => `${library} is truncated: copy it again`,
  "SDK_LIBRARY_UNUSABLE.not_shared": ({ library }) => `${library} is not a shared library`,
  "SDK_LIBRARY_UNUSABLE.unreadable": ({ library, error }) => `${library} cannot be read (${error})`,
  "SDK_LIBRARY_UNUSABLE.reported": (params) => `the bridge cannot use the SDK's library${said(params.said)}`,
  SDK_SERVICE_DOWN: ({ status }) => `the SDK's native call returned ${status}: the SDK's service is not running`,
  SDK_NATIVE_ERROR: ({ status }) => `the SDK's native call returned ${status}`,
  SDK_CRASHED: ({ ended }) => `the SDK's process ended (${ended})`,
  "SDK_CRASHED.reported": (params) => `the SDK crashed${said(params.said)}`,
  SDK_HUNG: ({ ms }) => `the SDK did not answer within ${ms} ms`,
  "SDK_HUNG.loading": ({ ms }) => `the SDK's library did not load within ${ms} ms`,
  "SDK_HUNG.processes": ({ count }) => `${count} processes of the SDK cannot be ended: switch the board off and on`,
  "SDK_HUNG.ending": () => "the SDK's process does not end",
  "SDK_HUNG.reported": (params) => `the SDK did not answer the bridge in time${said(params.said)}`,
  SDK_NOT_INITIALISED: () => "the SDK is not initialised",
  "SDK_NOT_INITIALISED.initialising": () => "the SDK is still initialising",
  SDK_NO_NETWORK: () => "the SDK's board has no network",
  SDK_ERROR: (params) =>
    `the SDK refused: ${[params.returnCode, params.errCode, params.said].filter((part) => part !== undefined).join(" ")}`,
  "SDK_RAWDATA_INVALID.missing": () => "the SDK's answer has no rawdata",
  "SDK_RAWDATA_INVALID.empty": () => "the SDK's rawdata is empty",
  "SDK_RAWDATA_INVALID.too_long": ({ characters }) => `the SDK's rawdata is too long (${characters} characters)`,
  "SDK_RAWDATA_INVALID.space": () => "the SDK's rawdata contains a space",
  "SDK_RAWDATA_INVALID.not_base64": () => "the SDK's rawdata is not base64",
  "SDK_ANSWER_INVALID.return_code": () => "the SDK's answer has no return_code",
  "SDK_ANSWER_INVALID.empty": () => "the SDK reported success but gave no answer",
  "SDK_ANSWER_INVALID.not_json": ({ octets }) => `the SDK's answer of ${octets} octets is not JSON in UTF-8`,
  "SDK_ANSWER_INVALID.out_of_turn": () => "the SDK's process answered out of turn",
  "SDK_ANSWER_INVALID.no_greeting": () => "the SDK's process did not report ready",
  "SDK_ANSWER_INVALID.reported": (params) => `the SDK's answer cannot be forwarded${said(params.said)}`,
  SDK_ANSWER_TOO_LARGE: ({ octets, most }) => `the SDK's answer has ${octets} octets, a frame holds ${most}`,
  "SDK_ANSWER_TOO_LARGE.reported": (params) => `the SDK's answer is too large to forward${said(params.said)}`,
  DEVICE_ID_MISSING: () =>
    "the bridge reports no device_id and none is configured: set identity.device_id or identity.device_id_file",
  DEVICE_ID_MISMATCH: ({ bridge, configured }) =>
    `the bridge reports device_id ${bridge}, the configuration says ${configured}: correct or remove identity.device_id`,
  PAY_DNS: () => "the name could not be resolved",
  "PAY_DNS.timeout": () => "the DNS servers did not answer in time",
  PAY_DNS_FORGED: ({ host, addresses }) => `${host} is resolved to an impossible address: ${addresses.join(", ")}`,
  PAY_IP_VERSION: ({ host, missing }) =>
    `${host} exists and has ${missing} addresses only, and this terminal has no ${missing}`,
  PAY_CONNECT_REFUSED: () => "connection refused",
  PAY_CONNECT_TIMEOUT: () => "the connection timed out",
  "PAY_CONNECT_TIMEOUT.tls": () => "connected, but the TLS handshake got no answer",
  PAY_UNREACHABLE: () => "no route to host",
  PAY_CONNECTION_LOST: () => "the connection was lost before the answer was complete",
  "PAY_CONNECTION_LOST.closed": () => "the client was closed",
  PAY_TIMEOUT: () => "the answer was not complete in time",
  "PAY_TIMEOUT.attempt": ({ ms }) => `the answer was not complete within ${ms} ms`,
  PAY_TLS_UNTRUSTED: () => "the server's certificate is not issued by a trusted authority",
  "PAY_TLS_UNTRUSTED.ca_file": () =>
    "the server's certificate is issued neither by the authority in ca_file nor by a public one",
  PAY_TLS_NAME: () => "the server's certificate is for another name",
  PAY_TLS_EXPIRED: () => "the server's certificate is expired or not yet valid",
  PAY_TLS_FAILED: () => "the TLS handshake failed",
  PAY_CLIENT_CERTIFICATE: () => "this terminal's client certificate cannot be used or was refused",
  PAY_ANSWER_NOT_HTTP: () => "the answer is not HTTP",
  PAY_PROXY: () => "the proxy did not open a connection",
  "PAY_PROXY.refused": ({ httpStatus }) => `the proxy refused the connection (HTTP ${httpStatus})`,
  PAY_PROXY_AUTH: () => "the proxy refused the user name or password",
  PAY_REDIRECTED: http,
  PAY_STATUS_UNEXPECTED: http,
  PAY_BAD_REQUEST: http,
  PAY_UNAUTHORIZED: http,
  PAY_FORBIDDEN: http,
  PAY_NOT_FOUND: http,
  PAY_RATE_LIMITED: http,
  "PAY_RATE_LIMITED.held": ({ seconds }) => `WeChat Pay asked to wait ${seconds} s more`,
  PAY_CLIENT_ERROR: http,
  PAY_SERVER_ERROR: http,
  PAY_UNAVAILABLE: http,
  PAY_CAPTIVE_PORTAL: () => "a web page of the local network answered instead of the payment service",
  "PAY_CAPTIVE_PORTAL.status": http,
  "PAY_CAPTIVE_PORTAL.http": ({ at }) =>
    `the network answers with a web page of its own (${at}), and lets no payment through`,
  PAY_UNSIGNED: ({ missing }) => `unsigned answer: ${missing.join(", ")} missing`,
  "PAY_UNSIGNED.probe": () => "unsigned answer",
  PAY_SIGNATURE_PROBE: () => "WeChat Pay sent a probe with a wrong signature",
  PAY_SIGNATURE_SERIAL: ({ ours, theirs = "another key" }) =>
    `the answer is signed with ${theirs}, not with the configured public_key_id ${ours}`,
  PAY_SIGNATURE_EXPIRED: ({ aheadS }) =>
    `the signed timestamp is ${Math.abs(aheadS)} s ${aheadS < 0 ? "behind" : "ahead of"} this terminal's clock, more than 300 s`,
  PAY_SIGNATURE_REPLAYED: () => "the answer is older than one already verified",
  "PAY_SIGNATURE_MALFORMED.repeated": () => "a signature header is repeated",
  "PAY_SIGNATURE_MALFORMED.not_base64": () => "the signature is not base64",
  "PAY_SIGNATURE_MALFORMED.timestamp": () => "the signed timestamp is not a Unix time",
  PAY_SIGNATURE_INVALID: () => "the signature does not match the answer",
  PAY_ANSWER_TOO_LARGE: () => "the answer is larger than 64 KiB, or its headers than 16 KiB",
  PAY_ANSWER_ENCODED: () => "the answer is compressed, although plain text was requested",
  PAY_ANSWER_CHARSET: () => "the answer is not UTF-8",
  PAY_ANSWER_NOT_JSON: () => "the answer is not JSON",
  "PAY_ANSWER_NOT_JSON.empty": () => "the answer has no body",
  "PAY_ANSWER_NOT_JSON.not_object": () => "the answer is not a JSON object",
  PAY_AUTHINFO_MISSING: () => "the answer has no authinfo",
  PAY_AUTHINFO_INVALID: () => "the authinfo is not 1 to 16 384 printable characters",
  PAY_EXPIRES_IN_INVALID: () => "expires_in is not a whole number of seconds, 60 or more",
  "PAY_AUTHINFO_UNCHANGED.expired": () => "WeChat Pay returned the same authinfo again, which has expired",
  "PAY_AUTHINFO_UNCHANGED.rejected": () => "WeChat Pay returned the same authinfo again, which the SDK has rejected",
  CLOCK_WRONG: () => "this terminal's clock differs from WeChat Pay's by more than 300 s",
  "CLOCK_WRONG.certificate": () =>
    "the server's certificate is not valid at the time of this terminal's clock, which is wrong",
  "CLOCK_WRONG.status": http,
  STORE_WRITE: ({ errno, syscall }) => `the state was not written: ${errno} in ${syscall}`,
  "STORE_WRITE.unexpected": ({ error }) => `the state was not written: ${error}`,
  "STORE_WRITE.closed": () => "the store is closed",
  "STORE_WRITE.directory": ({ directory, errno }) => `the state directory ${directory} cannot be written (${errno})`,
  "STORE_WRITE.config": ({ directory, errno }) => `the configuration cannot be kept in ${directory} (${errno})`,
  "STORE_WRITE.key": ({ errno }) => `the key file cannot be created (${errno})`,
  "STORE_READ.writable_by_others": ({ directory, mode }) =>
    `${directory} (mode ${mode}), which leads to the state, may be changed by its group or others: chmod go-w ${directory}`,
  "STORE_READ.owner": ({ directory, owner, self }) =>
    `${directory}, which leads to the state, belongs to user ${owner}, the agent runs as ${self}: chown root ${directory}`,
  "STORE_READ.not_directory": ({ directory }) =>
    `the state directory ${directory} is not a directory: move that file away or set another store.directory`,
  "STORE_READ.directory": ({ directory, errno }) =>
    `the state directory ${directory} cannot be used (${errno}): give its owner read, write and search permission`,
  "STORE_READ.stuck": (params) => `${params.file} cannot be opened (${fault(params.fault)}) or moved (${params.errno})`,
  STORE_LOCKED: ({ directory, pid }) => `the state directory ${directory} is in use by another instance (pid ${pid})`,
  "KEY_FILE.missing": ({ file }) => `the key file ${file} is missing`,
  "KEY_FILE.owner": ({ file }) => `the key file ${file} belongs to another user`,
  "KEY_FILE.storage": ({ file, errno }) => `the key file ${file} cannot be read (${errno})`,
  "KEY_FILE.not_key": (params) => `the key file ${params.file} is not a key (${fault(params.fault)})`,
  "KEY_FILE.open_to_others": ({ file }) => `the key file ${file} is readable by others`,
  "KEY_FILE.short": ({ file, octets, least }) =>
    `the key file ${file} has ${octets} octets, a key has at least ${least}`,
  "KEY_FILE.refused": ({ keys }) => `the file was refused that ${keys.join(", ")} names; nothing is renewed without it`,
  "KEY_FILE.merchant": () => "direct mode needs the merchant's private key and its serial number",
  "CONFIG_INVALID.problems": ({ problems }) => problems,
  "CONFIG_INVALID.base_urls": () => "no base URL is configured",
  "CONFIG_INVALID.driver_path": () => "driver.path is not set",
  "CONFIG_INVALID.driver": () => "neither driver.path nor driver.vendor_id is set",
  "CONFIG_INVALID.file_copy_group": ({ group }) =>
    `group ${group} does not exist: create it or correct file_copy.group`,
  UNPROVISIONED: () => "this terminal has no configuration yet",
  "API_SOCKET.fd_closed": ({ fd }) => `file descriptor ${fd} from systemd is not open`,
  "API_SOCKET.fd_not_socket": ({ fd }) => `file descriptor ${fd} from systemd is not a socket`,
  "API_SOCKET.relative": () => "a socket path must be absolute",
  "API_SOCKET.too_long": ({ path, octets, most }) => `${path} has ${octets} octets, a socket path at most ${most}`,
  "API_SOCKET.mode": ({ path, group, mode, errno }) =>
    `${path} cannot be given${group === undefined ? "" : ` group ${group} and`} mode ${mode} (${errno}); run the agent as root or as a member of the group`,
  "API_SOCKET.group": ({ path, group }) =>
    `group ${group} of ${path} does not exist; create it (groupadd --system ${group}) or correct the configuration`,
  "API_SOCKET.directory": ({ path, errno }) => `${path} cannot be created (${errno})`,
  "API_SOCKET.unreadable": ({ path, errno }) => `${path} cannot be examined (${errno})`,
  "API_SOCKET.not_socket": ({ path }) => `${path} exists and is not a socket; remove it`,
  "API_SOCKET.in_use": ({ path }) => `${path} is in use; stop the other agent or choose another path`,
  "API_SOCKET.not_removed": ({ path, errno }) => `${path} cannot be removed (${errno})`,
  "API_SOCKET.listen": ({ where, errno }) => `cannot listen on ${where} (${errno})`,
  "API_SOCKET.port": ({ host, port, errno }) => `cannot listen on ${host} port ${port} (${errno})`,
  "TELEMETRY_BROKER.unreachable": ({ broker, error }) => `the MQTT broker ${broker} cannot be reached (${error})`,
  "TELEMETRY_BROKER.timeout": ({ broker, seconds }) => `the MQTT broker ${broker} did not answer within ${seconds} s`,
  "TELEMETRY_BROKER.tls": ({ broker, error }) => `no TLS connection to the MQTT broker ${broker} (${error})`,
  "TELEMETRY_BROKER.refused": ({ broker, returnCode }) =>
    `the MQTT broker ${broker} refuses this terminal (return code ${returnCode})`,
  "TELEMETRY_BROKER.not_granted": ({ broker, topic }) =>
    `the MQTT broker ${broker} does not let this terminal read ${topic}`,
  "TELEMETRY_BROKER.closed": ({ broker }) => `the MQTT broker ${broker} closed the connection`,
  "TELEMETRY_BROKER.hostile": ({ broker, reason }) =>
    reason === "flood"
      ? `the MQTT broker ${broker} sent far too much`
      : `what answers at ${broker} does not speak MQTT 3.1.1 as it should`,
  "TELEMETRY_BROKER.files": ({ problems }) => `a file of [telemetry] cannot be used: ${problems}`,
  INTERNAL: () => "unexpected error",
  "INTERNAL.unexpected": ({ error }) => error,
};
