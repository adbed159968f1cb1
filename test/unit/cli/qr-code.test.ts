import jsqr from "jsqr";
import { PNG } from "pngjs";
import { describe, expect, it } from "vitest";
import { qrImage, qrLines, qrText } from "../../../agent/cli/support/qr-code.ts";
import { qrFormOf } from "../../../agent/cli/support/show-qr.ts";
import { failureNumbers, NOT_RUNNING } from "../../../agent/common/support/cause-numbers.ts";
import { encodeSupportCode } from "../../../agent/common/support/support-code.ts";
import { warningCodes } from "../../../agent/common/warnings.ts";
import { allChecks } from "../../../agent/diagnostics/checks.ts";

// Its types describe an ES module, which it is not.
const jsQR = jsqr as unknown as typeof jsqr.default;
const CODE = encodeSupportCode({ version: "0.2.0", state: "absent", cause: 701, lastedS: 90, deviceId: "SN4711" });

/** What a camera sees of a dark console: the characters as blocks of pixels, half a character high. */
function decodedScreen(lines: readonly string[], pixels: number): string | undefined {
  const columns = lines[0]?.length ?? 0;
  const width = columns * pixels;
  const height = lines.length * 2 * pixels;
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / pixels);
    for (let x = 0; x < width; x++) {
      const character = lines[Math.floor(row / 2)]?.[Math.floor(x / pixels)] ?? " ";
      const light = (row % 2 === 0 ? "█▀" : "█▄").includes(character);
      data.set(light ? [255, 255, 255, 255] : [0, 0, 0, 255], (y * width + x) * 4);
    }
  }
  return jsQR(data, width, height)?.data;
}

describe("the QR code", () => {
  it("holds the support code and the first three failures, each once", () => {
    expect(qrText(CODE, ["BRIDGE_NOT_FOUND", "BRIDGE_NOT_FOUND", "PAY_DNS", "STORE_WRITE", "KEY_FILE"])).toBe(
      `facepay-agent ${CODE} BRIDGE_NOT_FOUND PAY_DNS STORE_WRITE`,
    );
  });

  it.each([3, 6, 12])("is read from a screen with modules of %i pixels", (pixels) => {
    for (const causes of [[], ["ser.present"], ["ser.present", "net.dns", "store.write"]]) {
      const text = qrText(CODE, causes);
      expect(decodedScreen(qrLines(text, false), pixels)).toBe(text);
    }
  });

  it("fits 80 x 24 with the longest names that there are", () => {
    const failures = Object.keys(failureNumbers).map((id) => id.split(".")[0] ?? "");
    const names = [...failures, ...warningCodes, ...allChecks.map(({ id }) => id)];
    const longest = [...new Set(names)].toSorted((a, b) => b.length - a.length).slice(0, 3);
    const lines = qrLines(qrText(CODE, longest), false);
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it("names its colours where the console has some", () => {
    expect(qrLines("x", true).every((line) => line.startsWith("\x1b[97;40m") && line.endsWith("\x1b[0m"))).toBe(true);
  });

  it("is read from a PNG", async () => {
    const text = qrText(CODE, ["PAY_DNS"]);
    const { data, width, height } = PNG.sync.read(await qrImage(text, "png"));
    expect(jsQR(new Uint8ClampedArray(data), width, height)?.data).toBe(text);
  });

  it("is an SVG of the same modules", async () => {
    const svg = (await qrImage(qrText(CODE, []), "svg")).toString();
    expect([svg.startsWith("<svg "), svg.endsWith("</svg>")]).toEqual([true, true]);
    expect(svg).not.toContain("<script");
  });

  it.each([
    ["code.svg", "svg"],
    ["/tmp/CODE.PNG", "png"],
    ["code", undefined],
    ["code.jpg", undefined],
  ])("knows the form of %s", (file, form) => {
    expect(qrFormOf(file)).toBe(form);
  });
});

describe("a terminal without an agent", () => {
  it("has the number of the check that looks for it", () => {
    expect(allChecks.find(({ id }) => id === "svc.running")?.code).toBe(NOT_RUNNING);
  });
});
