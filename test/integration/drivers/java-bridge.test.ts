import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../agent/common/clock.ts";
import { systemRandom } from "../../../agent/common/random.ts";
import { checkBridge } from "../../../drivers/conformance/check-bridge.ts";
import { serialStream } from "../../../drivers/line/serial-port.ts";
import { compileJavaBridge, javaSources, startJavaBridge } from "../../../drivers/simulator/java-bridge.ts";
import { lineSettings } from "../../support/fixtures/line-settings.ts";
import { missing } from "../../support/fixtures/tools.ts";

const noJdk = missing("java", "javac");
/** Generous: the virtual machine starts within the first case. The bridge gives a call of the SDK 9 s. */
const limits = {
  helloMs: 120_000,
  callMs: 120_000,
  initMs: 120_000,
  quietMs: 30,
  rawDataGapMs: 0,
  silenceMs: 0,
  calls: 1_000,
};
const clock = systemClock();
const driver = { ...lineSettings, type: "serial" } as const;

const root = path.resolve(import.meta.dirname, "../../..");
const adapter = path.join(root, "docs/bridge/java/android/WxPayFaceSdk.java");
const replacements = path.join(root, "test/support/children/android");

/** What the sources may use of Java: classes that Android has had since API 25 (7.1) at the latest. */
const inAndroid = [
  /^java\.io\.(ByteArrayOutputStream|File(In|Out)putStream|IOException|InputStream|OutputStream)$/,
  /^java\.lang\.reflect\.InvocationTargetException$/,
  /^java\.nio\.(ByteBuffer|CharBuffer|charset\.(CharacterCodingException|Charset))$/,
  /^java\.security\.SecureRandom$/,
  /^java\.util\.(Arrays|Collections|HashMap|LinkedHashMap|Map)$/,
  /^java\.util\.concurrent\.(ArrayBlockingQueue|Callable|ExecutionException|FutureTask|TimeUnit|TimeoutException)$/,
  /^java\.util\.concurrent\.atomic\.AtomicInteger$/,
  /^java\.util\.logging\.(Level|Logger)$/,
  /^java\.util\.zip\.CRC32$/,
  /^android\./,
  /^com\.tencent\.wxpayface\.(IWxPayfaceCallback|WxPayFace)$/,
];
/** Methods of Java 8 that came to Android after API 25. */
const later = /String\.join|toUnsigned|withInitial|->|::|\.stream\(|\.forEach\(/;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "facepay-java-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe("docs/bridge/java", () => {
  it("passes the conformance kit on a serial line, once started anew", async ({ skip }) => {
    if (noJdk !== undefined) return skip(noJdk);
    const classes = await compileJavaBridge(directory);
    const bridge = await startJavaBridge({ classes, deviceId: "SN-JAVA" });
    try {
      const report = await checkBridge({
        open: serialStream({ ...driver, path: bridge.path }, clock),
        clock,
        random: systemRandom,
        limits,
        restart: () => bridge.restart(),
      });
      expect(report.results.filter(({ status }) => status !== "pass")).toEqual([]);
      expect(report.bridge).toMatchObject({ bridge: "simulated-java-bridge/1.0", device_id: "SN-JAVA" });
    } finally {
      await bridge.stop();
    }
  });

  it("uses nothing of Java that Android 7.1 lacks, as far as its imports show", () => {
    for (const file of [...javaSources(), adapter]) {
      const text = readFileSync(file, "utf8");
      const imports = [...text.matchAll(/^import (?:static )?([\w.*]+);$/gm)].map(([, name = ""]) => name);
      expect(imports.filter((name) => !inAndroid.some((known) => known.test(name)))).toEqual([]);
      expect(text.match(later)?.[0], file).toBeUndefined();
    }
  });

  it("calls the vendor's library for Android by its names, the first answer counting", async ({ skip }) => {
    if (noJdk !== undefined) return skip(noJdk);
    const found = readdirSync(replacements, { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".java"),
    );
    const files = [...javaSources(), adapter, ...found.map((file) => path.join(replacements, file))];
    const classes = await compileJavaBridge(path.join(directory, "android"), files);
    const requests = [
      { cmd: "initWxpayface", version: "1", now: 1, ip: "10.0.0.2", proxy_type: 1 },
      { cmd: "getWxpayfaceRawdata", version: "1", now: 1 },
      { cmd: "getSdkInfo" },
      { cmd: "updateNothing" },
      { cmd: "wait" },
    ].map((request) => JSON.stringify(request));
    const { stdout } = await promisify(execFile)("java", [
      "-cp",
      classes,
      "facepay.bridge.TryWxPayFaceSdk",
      ...requests,
    ]);
    expect(stdout.split("\n")).toEqual([
      '{err_code=0, return_code="SUCCESS", return_msg="{ip=10.0.0.2, proxy_type=1}"}',
      '{err_code=0, rawdata="+//+", return_code="SUCCESS"}',
      '{err_code=0, return_code="SUCCESS", sdk_version="2.32.300"}',
      "status -1",
      '{return_code="PARAM_ERROR", return_msg="no such call"}',
      "{bridge=android-wxpayface/1.0, device_id=SN-1, net_id=wlan0}",
      "",
    ]);
  });
});
