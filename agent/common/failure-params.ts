/** The facts of an HTTP answer that is no success. */
export interface HttpFailure {
  readonly httpStatus: number;
  /** The peer's own code, such as NO_AUTH. */
  readonly answerCode?: string | undefined;
  /** What the peer said, bounded and without secrets. */
  readonly answerMessage?: string | undefined;
  /** The field that a gateway of ours refuses. */
  readonly answerField?: string | undefined;
}

/** What is wrong with the content of a good frame that is no usable answer. */
export type AnswerFault =
  | "not_utf8"
  | "bom"
  | "nul"
  | "not_json"
  | "too_deep"
  | "batch"
  | "not_object"
  | "jsonrpc"
  | "result_and_error"
  | "no_result"
  | "error_form"
  | "no_id"
  | "id_type"
  | "other_id";

/** A program that has a device open. */
export interface PortHolder {
  readonly pid: number;
  readonly name: string;
  /** Of another agent: the configuration it works with, and its unit where systemd has started it. */
  readonly config?: string;
  readonly unit?: string;
}

/** Nothing but the failure itself is known. */
type None = Readonly<Record<never, never>>;

/** What a bridge said of a failure in its JSON-RPC error, bounded and without secrets; absent where the call held a secret. */
interface Reported {
  readonly said?: string | undefined;
}

/**
 * The parameters of each failure's text, by message id: the code alone, or the code and a variant behind a dot where one code has several
 * texts. The texts are in `agent/messages/failures-en.ts` and `failures-zh.ts`. A value is a fact, never a sentence of ours and never
 * a secret; what a peer or the system said is such a fact. `error`: the text of an error of Node or of a library.
 */
export interface FailureParams {
  // The line to the bridge.
  BRIDGE_NOT_FOUND: { readonly path: string };
  "BRIDGE_NOT_FOUND.socket": { readonly path: string };
  "BRIDGE_NOT_FOUND.usb": { readonly usb: string };
  BRIDGE_AMBIGUOUS: { readonly usb: string; readonly candidates: readonly string[] };
  BRIDGE_PERMISSION: { readonly path: string };
  "BRIDGE_PERMISSION.unit": { readonly path: string };
  /** `holders`: where somebody could look, which the agent itself cannot. */
  BRIDGE_BUSY: { readonly path: string; readonly holders?: readonly PortHolder[] | undefined };
  BRIDGE_OPEN_FAILED: { readonly path: string; readonly error: string };
  "BRIDGE_OPEN_FAILED.unexpected": { readonly error: string };
  "BRIDGE_OPEN_FAILED.not_serial": { readonly path: string };
  "BRIDGE_OPEN_FAILED.late": { readonly path: string; readonly ms: number };
  BRIDGE_LOST: None;
  "BRIDGE_LOST.path": { readonly path: string };
  "BRIDGE_LOST.closed_by_peer": None;
  "BRIDGE_LOST.unresponsive": None;
  "BRIDGE_LOST.not_released": None;
  "BRIDGE_LOST.unexpected": { readonly error: string };
  BRIDGE_NOT_READY: None;
  "BRIDGE_NOT_READY.starting": None;
  "BRIDGE_NOT_READY.not_open": None;
  "BRIDGE_NOT_READY.queue_full": None;
  BRIDGE_TIMEOUT: { readonly method: string; readonly ms: number };
  "BRIDGE_TIMEOUT.repeated": { readonly count: number };
  BRIDGE_FOREIGN_DATA: { readonly octets: number; readonly text: boolean; readonly echo: boolean };
  BRIDGE_ECHO: None;
  "BRIDGE_PROTOCOL.answer": { readonly wrong: AnswerFault };
  "BRIDGE_PROTOCOL.hello_not_object": None;
  "BRIDGE_PROTOCOL.version": { readonly theirs: string; readonly ours: string };
  "BRIDGE_PROTOCOL.member_missing": { readonly member: string };
  "BRIDGE_PROTOCOL.member_invalid": { readonly member: string; readonly longest: number };
  "BRIDGE_PROTOCOL.device_id": None;
  BRIDGE_REFUSED_CALL: { readonly rpcCode: number } & Reported;
  "BRIDGE_REFUSED_CALL.too_long": { readonly octets: number; readonly most: number };
  BRIDGE_CLOSED: None;
  "BRIDGE_CLOSED.stopping": None;
  // An attempt as a whole.
  "ATTEMPT_TIMEOUT.line": { readonly ms: number };
  "ATTEMPT_TIMEOUT.wechatpay": { readonly ms: number };
  // The vendor's SDK behind it.
  SDK_LIBRARY_MISSING: { readonly library: string };
  "SDK_LIBRARY_MISSING.reported": Reported;
  SDK_LIBRARY_ARCH: { readonly library: string; readonly built: string; readonly board: string };
  "SDK_LIBRARY_ARCH.windows": { readonly library: string; readonly board: string };
  "SDK_LIBRARY_ARCH.reported": Reported;
  SDK_LIBRARY_SYMBOL: { readonly library: string; readonly symbol: string };
  "SDK_LIBRARY_SYMBOL.reported": Reported;
  SDK_LIBRARY_UNUSABLE: { readonly library: string; readonly error: string };
  "SDK_LIBRARY_UNUSABLE.not_file": { readonly library: string };
  "SDK_LIBRARY_UNUSABLE.not_elf": { readonly library: string };
  "SDK_LIBRARY_UNUSABLE.truncated": { readonly library: string };
  "SDK_LIBRARY_UNUSABLE.not_shared": { readonly library: string };
  "SDK_LIBRARY_UNUSABLE.unreadable": { readonly library: string; readonly error: string };
  "SDK_LIBRARY_UNUSABLE.reported": Reported;
  SDK_SERVICE_DOWN: { readonly status: number };
  SDK_NATIVE_ERROR: { readonly status: number };
  SDK_CRASHED: { readonly ended: string };
  "SDK_CRASHED.reported": Reported;
  SDK_HUNG: { readonly ms: number };
  "SDK_HUNG.loading": { readonly ms: number };
  "SDK_HUNG.processes": { readonly count: number };
  "SDK_HUNG.ending": None;
  "SDK_HUNG.reported": Reported;
  SDK_NOT_INITIALISED: None;
  "SDK_NOT_INITIALISED.initialising": None;
  SDK_NO_NETWORK: None;
  SDK_ERROR: { readonly returnCode: string; readonly errCode?: number | undefined; readonly said?: string | undefined };
  "SDK_RAWDATA_INVALID.missing": None;
  "SDK_RAWDATA_INVALID.empty": None;
  "SDK_RAWDATA_INVALID.too_long": { readonly characters: number };
  "SDK_RAWDATA_INVALID.space": None;
  "SDK_RAWDATA_INVALID.not_base64": None;
  "SDK_ANSWER_INVALID.return_code": None;
  "SDK_ANSWER_INVALID.empty": None;
  "SDK_ANSWER_INVALID.not_json": { readonly octets: number };
  "SDK_ANSWER_INVALID.out_of_turn": None;
  "SDK_ANSWER_INVALID.no_greeting": None;
  "SDK_ANSWER_INVALID.reported": Reported;
  SDK_ANSWER_TOO_LARGE: { readonly octets: number; readonly most: number };
  "SDK_ANSWER_TOO_LARGE.reported": Reported;
  DEVICE_ID_MISSING: None;
  DEVICE_ID_MISMATCH: { readonly bridge: string; readonly configured: string };
  // The network on the way to WeChat Pay.
  PAY_DNS: None;
  "PAY_DNS.timeout": None;
  PAY_DNS_FORGED: { readonly host: string; readonly addresses: readonly string[] };
  /** The name has addresses, but only of a kind that this terminal has none of. */
  PAY_IP_VERSION: { readonly host: string; readonly missing: "IPv4" | "IPv6" };
  PAY_CONNECT_REFUSED: None;
  PAY_CONNECT_TIMEOUT: None;
  "PAY_CONNECT_TIMEOUT.tls": None;
  PAY_UNREACHABLE: None;
  PAY_CONNECTION_LOST: None;
  "PAY_CONNECTION_LOST.closed": None;
  PAY_TIMEOUT: None;
  "PAY_TIMEOUT.attempt": { readonly ms: number };
  PAY_TLS_UNTRUSTED: None;
  /** Although ca_file names the authority of the server's own. */
  "PAY_TLS_UNTRUSTED.ca_file": None;
  PAY_TLS_NAME: None;
  PAY_TLS_EXPIRED: None;
  PAY_TLS_FAILED: None;
  PAY_CLIENT_CERTIFICATE: None;
  PAY_ANSWER_NOT_HTTP: None;
  PAY_PROXY: None;
  "PAY_PROXY.refused": { readonly httpStatus: number };
  PAY_PROXY_AUTH: HttpFailure;
  // Answers that are no success.
  PAY_REDIRECTED: HttpFailure;
  PAY_STATUS_UNEXPECTED: HttpFailure;
  PAY_BAD_REQUEST: HttpFailure;
  PAY_UNAUTHORIZED: HttpFailure;
  PAY_FORBIDDEN: HttpFailure;
  PAY_NOT_FOUND: HttpFailure;
  PAY_RATE_LIMITED: HttpFailure;
  "PAY_RATE_LIMITED.held": { readonly seconds: number };
  PAY_CLIENT_ERROR: HttpFailure;
  PAY_SERVER_ERROR: HttpFailure;
  PAY_UNAVAILABLE: HttpFailure;
  // Answers that claim success and are not believed.
  PAY_CAPTIVE_PORTAL: None;
  "PAY_CAPTIVE_PORTAL.status": HttpFailure;
  "PAY_CAPTIVE_PORTAL.http": { readonly at: string; readonly port: 80 };
  PAY_UNSIGNED: { readonly missing: readonly string[] };
  "PAY_UNSIGNED.probe": None;
  PAY_SIGNATURE_PROBE: None;
  PAY_SIGNATURE_SERIAL: { readonly ours: string; readonly theirs?: string | undefined };
  PAY_SIGNATURE_EXPIRED: { readonly aheadS: number };
  PAY_SIGNATURE_REPLAYED: None;
  "PAY_SIGNATURE_MALFORMED.repeated": None;
  "PAY_SIGNATURE_MALFORMED.not_base64": None;
  "PAY_SIGNATURE_MALFORMED.timestamp": None;
  PAY_SIGNATURE_INVALID: None;
  PAY_ANSWER_TOO_LARGE: None;
  PAY_ANSWER_ENCODED: None;
  PAY_ANSWER_CHARSET: None;
  PAY_ANSWER_NOT_JSON: None;
  "PAY_ANSWER_NOT_JSON.empty": None;
  "PAY_ANSWER_NOT_JSON.not_object": None;
  PAY_AUTHINFO_MISSING: None;
  PAY_AUTHINFO_INVALID: None;
  PAY_EXPIRES_IN_INVALID: None;
  "PAY_AUTHINFO_UNCHANGED.expired": None;
  "PAY_AUTHINFO_UNCHANGED.rejected": None;
  CLOCK_WRONG: None;
  "CLOCK_WRONG.certificate": None;
  "CLOCK_WRONG.status": HttpFailure;
  // The terminal itself.
  STORE_WRITE: { readonly errno: string; readonly syscall: string; readonly directory?: string | undefined };
  "STORE_WRITE.unexpected": { readonly error: string };
  "STORE_WRITE.closed": None;
  "STORE_WRITE.directory": { readonly directory: string; readonly errno: string };
  "STORE_WRITE.config": { readonly directory: string; readonly errno: string };
  "STORE_WRITE.key": { readonly errno: string };
  "STORE_READ.writable_by_others": { readonly directory: string; readonly mode: string };
  "STORE_READ.owner": { readonly directory: string; readonly owner: number; readonly self: number };
  "STORE_READ.not_directory": { readonly directory: string };
  "STORE_READ.directory": { readonly directory: string; readonly errno: string };
  "STORE_READ.stuck": { readonly file: string; readonly fault: string; readonly errno: string };
  STORE_LOCKED: { readonly directory: string; readonly pid: number };
  "KEY_FILE.missing": { readonly file: string };
  "KEY_FILE.owner": { readonly file: string };
  "KEY_FILE.storage": { readonly file: string; readonly errno: string };
  "KEY_FILE.not_key": { readonly file: string; readonly fault: string; readonly own: boolean };
  "KEY_FILE.open_to_others": { readonly file: string; readonly mode: string };
  "KEY_FILE.short": { readonly file: string; readonly octets: number; readonly least: number; readonly own: boolean };
  "KEY_FILE.merchant": None;
  /** The configuration keys that name the files. */
  "KEY_FILE.refused": { readonly keys: readonly string[] };
  "CONFIG_INVALID.problems": { readonly problems: string };
  "CONFIG_INVALID.base_urls": None;
  "CONFIG_INVALID.driver_path": None;
  "CONFIG_INVALID.driver": None;
  "CONFIG_INVALID.file_copy_group": { readonly group: string };
  UNPROVISIONED: None;
  "API_SOCKET.fd_closed": { readonly fd: number };
  "API_SOCKET.fd_not_socket": { readonly fd: number };
  "API_SOCKET.relative": None;
  "API_SOCKET.too_long": { readonly path: string; readonly octets: number; readonly most: number };
  "API_SOCKET.mode": {
    readonly path: string;
    readonly group?: string | undefined;
    readonly mode: string;
    readonly errno: string;
  };
  "API_SOCKET.group": { readonly path: string; readonly group: string };
  "API_SOCKET.directory": { readonly path: string; readonly errno: string };
  "API_SOCKET.unreadable": { readonly path: string; readonly errno: string };
  "API_SOCKET.not_socket": { readonly path: string };
  "API_SOCKET.in_use": { readonly path: string };
  "API_SOCKET.not_removed": { readonly path: string; readonly errno: string };
  "API_SOCKET.listen": { readonly where: string; readonly errno: string };
  "API_SOCKET.port": { readonly host: string; readonly port: number; readonly errno: string };
  // The operator's broker.
  "TELEMETRY_BROKER.unreachable": { readonly broker: string; readonly error: string };
  "TELEMETRY_BROKER.timeout": { readonly broker: string; readonly seconds: number };
  "TELEMETRY_BROKER.tls": { readonly broker: string; readonly error: string };
  /** `returnCode`: MQTT 3.1.1, 3.2.2.3. */
  "TELEMETRY_BROKER.refused": { readonly broker: string; readonly returnCode: number };
  "TELEMETRY_BROKER.not_granted": { readonly broker: string; readonly topic: string };
  "TELEMETRY_BROKER.closed": { readonly broker: string };
  "TELEMETRY_BROKER.hostile": { readonly broker: string; readonly reason: "protocol" | "flood" };
  "TELEMETRY_BROKER.files": { readonly problems: string };
  INTERNAL: None;
  "INTERNAL.unexpected": { readonly error: string };
}

export type FailureId = keyof FailureParams;

/** A failure's stable code (specification 5): the id without its variant. */
export type ErrorCode = FailureId extends infer Id ? (Id extends `${infer Code}.${string}` ? Code : Id) : never;

/** Ids whose text needs no parameter. */
export type PlainFailureId = {
  [Id in FailureId]: FailureParams[Id] extends None ? (None extends FailureParams[Id] ? Id : never) : never;
}[FailureId];
