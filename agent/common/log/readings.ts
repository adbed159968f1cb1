/**
 * A text as somebody might read it: plain, or decoded in one of the usual ways. `from[i]` and `to[i]` say where in the text
 * character `i` stands.
 */
export interface Reading {
  readonly chars: string;
  readonly from: readonly number[];
  readonly to: readonly number[];
}

interface Alphabet {
  readonly values: ReadonlyMap<string, number>;
  readonly bits: number;
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS = "0123456789";
const BASE64 = `${LETTERS}${LETTERS.toLowerCase()}${DIGITS}`;

/** RFC 4648. A character of no alphabet stands between others and is passed over, so that a piece may be cut up. */
const alphabets: readonly Alphabet[] = [
  alphabet(4, `${DIGITS}ABCDEF`, `${DIGITS}abcdef`),
  alphabet(5, `${LETTERS}234567`, `${LETTERS}234567`.toLowerCase()),
  alphabet(6, `${BASE64}+/`, `${BASE64}-_`),
  // The same, should "-" and "_" be what cuts it up.
  alphabet(6, `${BASE64}+/`),
];

/** One character as an escape of URLs, JSON, HTML, C or mail; a "%" may itself have been escaped, time and again. */
const ESCAPE =
  /%(?:25)*([0-9a-f]{2})|(?:%u|\\u|U\+)00([0-9a-f]{2})|\\u\{0*([0-9a-f]{2})\}|&#x0*([0-9a-f]{2});?|(?:\\|0)x([0-9a-f]{2})|=([0-9A-F]{2})|&#0*(\d{2,3});?|\\([0-3][0-7]{2})/gi;
/** How many of its groups are hexadecimal; a decimal and an octal one follow. */
const HEX_GROUPS = 6;

/** Every reading of the text. Their number is fixed, so the cost grows with the text's length alone. */
export function* readingsOf(text: string): Generator<Reading> {
  const plain = plainly(text);
  const literal = unescaped(plain);
  for (const reading of literal.chars === plain.chars ? [plain] : [plain, literal]) {
    yield reading;
    for (const each of alphabets) yield* decoded(reading, each);
  }
  yield numbered(plain);
}

/** Compatible forms as one, Unicode's NFKC: "Ａ" and "𝐀" are an "A" for whoever reads them. */
function plainly(text: string): Reading {
  const reading = writer();
  let at = 0;
  for (const point of text) {
    const forms = point < "\x80" ? point : point.normalize("NFKC");
    for (const char of forms) reading.add(char, at, at + point.length);
    at += point.length;
  }
  return reading.done();
}

function unescaped({ chars, from, to }: Reading): Reading {
  const reading = writer();
  const copy = (begin: number, end: number) => {
    for (let at = begin; at < end; at++) reading.add(chars[at] ?? "", from[at] ?? 0, to[at] ?? 0);
  };
  let end = 0;
  for (const match of chars.matchAll(ESCAPE)) {
    copy(end, match.index);
    end = match.index + match[0].length;
    const group = match.slice(1).findIndex((digits) => digits !== undefined);
    const code = Number.parseInt(match[group + 1] ?? "", group < HEX_GROUPS ? 16 : group === HEX_GROUPS ? 10 : 8);
    reading.add(String.fromCharCode(code & 0xff), from[match.index] ?? 0, to[end - 1] ?? 0);
  }
  copy(end, chars.length);
  return reading.done();
}

/** Where an encoding begins is unknown: every phase is tried. */
function* decoded({ chars, from, to }: Reading, { values, bits }: Alphabet): Generator<Reading> {
  const symbols: number[] = [];
  const places: number[] = [];
  for (let at = 0; at < chars.length; at++) {
    const value = values.get(chars[at] ?? "");
    if (value === undefined) continue;
    symbols.push(value);
    places.push(at);
  }
  const phases = bits === 4 ? 2 : bits === 6 ? 4 : 8;
  for (let phase = 0; phase < phases; phase++) {
    const reading = writer();
    let held = 0;
    let count = 0;
    for (let at = phase; at < symbols.length; at++) {
      held = ((held << bits) | (symbols[at] ?? 0)) & 0xffff;
      count += bits;
      if (count < 8) continue;
      count -= 8;
      // The octet's first bit came with the symbol that many places back.
      const first = places[at - Math.ceil((8 + count) / bits) + 1] ?? 0;
      reading.add(String.fromCharCode((held >> count) & 0xff), from[first] ?? 0, to[places[at] ?? 0] ?? 0);
    }
    yield reading.done();
  }
}

/** Numbers in a row as the octets they may be. */
function numbered({ chars, from, to }: Reading): Reading {
  const reading = writer();
  for (const { 0: digits, index } of chars.matchAll(/\d+/g)) {
    const octet = digits.length > 3 ? 0 : Number(digits) & 0xff;
    reading.add(String.fromCharCode(octet), from[index] ?? 0, to[index + digits.length - 1] ?? 0);
  }
  return reading.done();
}

function writer() {
  let chars = "";
  const from: number[] = [];
  const to: number[] = [];
  return {
    add(char: string, begin: number, end: number) {
      chars += char;
      // A character outside the basic plane counts two.
      for (let unit = 0; unit < char.length; unit++) {
        from.push(begin);
        to.push(end);
      }
    },
    done: (): Reading => ({ chars, from, to }),
  };
}

function alphabet(bits: number, ...spellings: readonly string[]): Alphabet {
  return { bits, values: new Map(spellings.flatMap((spelling) => [...spelling].map((char, value) => [char, value]))) };
}
