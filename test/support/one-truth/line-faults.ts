import type { ErrorCode } from "../../../agent/common/errors.ts";
import type { BridgeFaults } from "../../../drivers/simulator/bridge-faults.ts";
import { sdkFailures } from "../../../drivers/simulator/simulated-sdk.ts";
import type { TableFault } from "./agree.ts";

type OfLines = TableFault<BridgeFaults>;
const RAWDATA = "getWxpayfaceRawdata";
const sdk = (name: string, made: BridgeFaults, code: ErrorCode, remedy?: RegExp): OfLines => ({
  name,
  made: { only: RAWDATA, ...made },
  code,
  ...(remedy === undefined ? {} : { remedy }),
});
const failed = (errCode: number) => ({ result: { return_code: "ERROR", return_msg: "x", err_code: errCode } });
const spoke = (return_msg: string) => ({ result: { return_code: "SYSTEMERROR", return_msg } });

/** What the vendor's SDK says, or the program in front of it. */
export const sdkFaults: readonly OfLines[] = [
  sdk("an SDK without a serial number", { result: sdkFailures.noSerialNumber }, "SDK_ERROR", /serial number/),
  sdk("a licence of another device", { result: sdkFailures.license }, "SDK_ERROR"),
  sdk("an error of the SDK's system", { result: sdkFailures.systemError }, "SDK_ERROR"),
  sdk("an SDK that stays uninitialised", { result: sdkFailures.notInitialised }, "SDK_NOT_INITIALISED"),
  sdk("a camera that fails", failed(271378577), "SDK_ERROR", /Camera fault/),
  sdk("a network of the SDK's that times out", failed(33), "SDK_ERROR", /SDK's network/),
  sdk("an unknown error number", failed(5), "SDK_ERROR"),
  sdk("a camera in words", spoke("open camera failed"), "SDK_ERROR"),
  sdk("other words", spoke("something odd"), "SDK_ERROR"),
  sdk("a native call that fails with -1", { nativeStatus: -1 }, "SDK_SERVICE_DOWN", /WxpayFaceService/),
  sdk("a native call that fails with 193", { nativeStatus: 193 }, "SDK_NATIVE_ERROR"),
  sdk("an empty rawdata", { rawData: "" }, "SDK_RAWDATA_INVALID", /camera/),
  sdk("a rawdata with a space", { rawData: "AAAA AAA" }, "SDK_RAWDATA_INVALID"),
  sdk("a rawdata that is not base64", { rawData: "not-base64!" }, "SDK_RAWDATA_INVALID"),
  sdk("no rawdata in a success", { result: { return_code: "SUCCESS", return_msg: "" } }, "SDK_RAWDATA_INVALID"),
  sdk("an answer without return_code", { result: { rawdata: "AAAA" } }, "SDK_ANSWER_INVALID"),
  sdk(
    "a method that the bridge does not know",
    { rpcError: { code: -32601, message: "Method not found" } },
    "BRIDGE_REFUSED_CALL",
  ),
  sdk(
    "parameters that the bridge does not take",
    { rpcError: { code: -32602, message: "Invalid params" } },
    "BRIDGE_REFUSED_CALL",
  ),
  sdk(
    "an internal error of the bridge",
    { rpcError: { code: -32603, message: "Internal error" } },
    "BRIDGE_REFUSED_CALL",
  ),
];

const framed = (name: string, made: BridgeFaults, code: ErrorCode, remedy?: RegExp): OfLines => ({
  name,
  made,
  code,
  ...(remedy === undefined ? {} : { remedy }),
});

/** What is wrong with the line itself, or with what speaks on it. */
export const lineFaults: readonly OfLines[] = [
  framed("a silent bridge", { silent: true }, "BRIDGE_TIMEOUT", /power-cycle/),
  framed(
    "text of another device",
    { silent: false, payload: "x", noiseBefore: Buffer.from("$GPGGA,1235\r\n"), badFcs: true },
    "BRIDGE_FOREIGN_DATA",
    /baud_rate/,
  ),
  framed("frames with a wrong check sequence", { badFcs: true }, "BRIDGE_FOREIGN_DATA"),
  framed("half a frame", { truncated: true }, "BRIDGE_FOREIGN_DATA"),
  framed(
    "a NUL behind the JSON",
    { payload: `{"jsonrpc":"2.0","id":1,"result":{}}\0` },
    "BRIDGE_PROTOCOL",
    /bridge --check/,
  ),
  framed("JSON that is cut", { payload: '{"jsonrpc":"2.0","id":1,' }, "BRIDGE_PROTOCOL", /bridge --check/),
  framed("text that is not UTF-8", { payload: Buffer.of(0xff, 0xfe, 0x7b) }, "BRIDGE_PROTOCOL", /bridge --check/),
  framed("a list in place of an object", { payload: "[1]" }, "BRIDGE_PROTOCOL", /bridge --check/),
  framed("no jsonrpc", { payload: '{"id":1,"result":{}}' }, "BRIDGE_PROTOCOL", /bridge --check/),
  framed("the id as text", { payload: '{"jsonrpc":"2.0","id":"1","result":{}}' }, "BRIDGE_PROTOCOL", /bridge --check/),
  framed(
    "result and error",
    { payload: '{"jsonrpc":"2.0","id":1,"result":{},"error":null}' },
    "BRIDGE_PROTOCOL",
    /bridge --check/,
  ),
  framed("an id of nobody's", { wrongId: true }, "BRIDGE_PROTOCOL"),
  framed("a hello that is no object", { only: "hello", result: "hi" }, "BRIDGE_PROTOCOL"),
  framed("a hello without a session", { only: "hello", result: { protocol: "1.0", bridge: "b/1" } }, "BRIDGE_PROTOCOL"),
  framed(
    "a hello of protocol 2.0",
    { only: "hello", result: { protocol: "2.0", bridge: "b/2", session: "s" } },
    "BRIDGE_PROTOCOL",
  ),
  framed(
    "a bridge that refuses hello",
    { only: "hello", rpcError: { code: -32601, message: "no hello" } },
    "BRIDGE_REFUSED_CALL",
  ),
];
