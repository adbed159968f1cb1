import { encode, renderSVG } from "uqr";

/** As small as it gets, with as much correction as fits into that; four modules of light around it (ISO/IEC 18004). */
const FORM = { ecc: "L", boostEcc: true, border: 4 } as const;
/** Of a PNG: as large as a phone reads from a screen at arm's length. */
const PIXELS = 8;
const MOST_CAUSES = 3;

/** What a phone shows: the support code, then the codes of the first three failures. */
export function qrText(supportCode: string, causes: readonly string[]): string {
  return ["facepay-agent", supportCode, ...[...new Set(causes)].slice(0, MOST_CAUSES)].join(" ");
}

/**
 * Two rows of modules a line, at most 23 lines and 45 columns for what `qrText` writes. The light modules are drawn, for most consoles are
 * dark; with colour the code is right on a light one, too.
 */
export function qrLines(text: string, colour: boolean): string[] {
  const { data, size } = modulesOf(text);
  const isLight = (row: number, column: number) => row >= size || data[row]?.[column] === false;
  const lines: string[] = [];
  for (let row = 0; row < size; row += 2) {
    let line = "";
    for (let column = 0; column < size; column++) {
      const [above, below] = [isLight(row, column), isLight(row + 1, column)];
      if (above) line += below ? "█" : "▀";
      else line += below ? "▄" : " ";
    }
    lines.push(colour ? `\x1b[97;40m${line}\x1b[0m` : line);
  }
  return lines;
}

export type QrForm = "svg" | "png";

export async function qrImage(text: string, form: QrForm): Promise<Buffer> {
  if (form === "svg") return Buffer.from(renderSVG(text, FORM));
  const { PNG } = await import("pngjs");
  const { data, size } = modulesOf(text);
  const width = size * PIXELS;
  const image = new PNG({ width, height: width });
  for (let y = 0; y < width; y++) {
    for (let x = 0; x < width; x++) {
      const dark = data[Math.floor(y / PIXELS)]?.[Math.floor(x / PIXELS)] === true;
      image.data.writeUInt32BE(dark ? 0x000000ff : 0xffffffff, (y * width + x) * 4);
    }
  }
  return PNG.sync.write(image, { colorType: 0 });
}

function modulesOf(text: string) {
  return encode(text, FORM);
}
