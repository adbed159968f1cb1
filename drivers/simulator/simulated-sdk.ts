import type { Clock } from "../../agent/common/clock.ts";
import type { Random } from "../../agent/common/random.ts";

export type SdkRequest = Readonly<Record<string, unknown>>;
export type SdkAnswer = Readonly<Record<string, unknown>>;

/** What the vendor's SDK says when it does not do what it was asked (the SDK's error codes, as published). */
export const sdkFailures = {
  notInitialised: { return_code: "FAIL", return_msg: "刷脸服务未初始化", err_code: 271378620 },
  initialising: { return_code: "FAIL", return_msg: "刷脸服务初始化中", err_code: 271378621 },
  systemError: { return_code: "SYSTEMERROR", return_msg: "系统错误" },
  noSerialNumber: { return_code: "SYSTEMERROR", return_msg: "Unable to get device SN" },
  noNetwork: { return_code: "ERROR", return_msg: "ip address is null" },
  license: { return_code: "PARAM_ERROR", return_msg: "AuthInfo License Error" },
} as const satisfies Record<string, SdkAnswer>;

/** A rawdata as measured on real terminals: 503 octets, 672 characters of base64. */
const RAWDATA_OCTETS = 503;
/** Gives "+//+" in base64 when it starts at a multiple of three: what a form encoding would spoil is always there. */
const PLUS_AND_SLASH = Buffer.from([0xfb, 0xff, 0xfe]);

/** The vendor's SDK as seen through `wxpayCallFaceService`: one request in, one answer out. */
export class SimulatedSdk {
  readonly #clock: Clock;
  readonly #random: Random;
  #initialised = false;
  #initialisingUntil = 0;
  #issued = 0;
  /** How often initWxpayface was answered with SUCCESS. */
  inits = 0;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  get initialised(): boolean {
    return this.#initialised;
  }

  /** The SDK's service has restarted behind the bridge: the next call is answered 271378620. */
  forgetInit(): void {
    this.#initialised = false;
  }

  /** For the next `ms` everything, initWxpayface too, is answered 271378621; then an init is needed. */
  initialiseFor(ms: number): void {
    this.#initialised = false;
    this.#initialisingUntil = this.#clock.boot() + ms;
  }

  answer(request: SdkRequest): SdkAnswer {
    const { cmd } = request;
    if (typeof cmd !== "string" || cmd === "") return { return_code: "PARAM_ERROR", return_msg: "cmd不能为空" };
    if (this.#clock.boot() < this.#initialisingUntil) return sdkFailures.initialising;
    if (cmd === "initWxpayface") return this.#init(request);
    if (!this.#initialised) return sdkFailures.notInitialised;
    switch (cmd) {
      case "releaseWxpayface":
        this.#initialised = false;
        return success({});
      case "getWxpayfaceRawdata":
        return success({ rawdata: this.#rawData() });
      case "getSdkInfo":
        return success({
          sdk_version: "2.32.300",
          face_feature_version: "1",
          user_info_dbcount: "120",
          user_info_memcount: "120",
          user_info_total_count: "120",
          offline_pay_info_dbcount: "0",
          last_update_data_time: String(Math.floor(this.#clock.wall() / 1000)),
        });
      case "getWxpayfaceCode":
        return success({ face_code: this.#random.bytes(18).toString("hex"), openid: "oSimulatedOpenid" });
      default:
        return success({ cmd });
    }
  }

  #init(request: SdkRequest): SdkAnswer {
    if (request.version !== "1" || !Number.isSafeInteger(request.now)) {
      return { return_code: "PARAM_ERROR", return_msg: "version或now错误" };
    }
    this.#initialised = true;
    this.inits++;
    return success({});
  }

  #rawData(): string {
    const octets = this.#random.bytes(RAWDATA_OCTETS);
    PLUS_AND_SLASH.copy(octets, 0);
    // Different each time even when the same random octets are replayed.
    octets.writeUInt32BE(++this.#issued, PLUS_AND_SLASH.length);
    return octets.toString("base64");
  }
}

function success(facts: SdkAnswer): SdkAnswer {
  return { return_code: "SUCCESS", return_msg: "", ...facts };
}
