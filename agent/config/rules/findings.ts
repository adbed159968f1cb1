import type { Bilingual } from "../../common/language.ts";
import type { SomeValues } from "../keys/schema.ts";
import type { Problem } from "../problem.ts";
import type { Settings } from "../settings.ts";

/** Linux keeps 108 octets for a unix socket's path, the last one for the terminating zero (unix(7)). */
const LONGEST_SOCKET_PATH = 107;

/**
 * What the rules between keys look at and where they put what they find. A key that was refused by itself is absent in
 * `values`, but `has` it: it counts as given, so that one mistake is reported once.
 */
export class Findings<Found = SomeValues> {
  readonly values: Found;
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly #settings: Settings;
  readonly mainFile: string;

  constructor(values: Found, settings: Settings, mainFile: string) {
    this.values = values;
    this.#settings = settings;
    this.mainFile = mainFile;
  }

  has(key: string): boolean {
    return this.#settings.has(key);
  }

  problem(key: string, what: Bilingual, instead: Bilingual): void {
    this.problems.push(this.#at(key, what, instead));
  }

  warning(key: string, what: Bilingual, instead: Bilingual): void {
    this.warnings.push(this.#at(key, what, instead));
  }

  /** The rule for every path of a unix socket. */
  socketPath(key: string, path: string | undefined): void {
    const octets = path === undefined ? 0 : Buffer.byteLength(path);
    if (octets <= LONGEST_SOCKET_PATH) return;
    this.problem(
      key,
      {
        zh: `绝对路径有 ${octets} 字节，unix 套接字最多 ${LONGEST_SOCKET_PATH} 字节`,
        en: `is ${octets} octets long as an absolute path; a unix socket's path has at most ${LONGEST_SOCKET_PATH}`,
      },
      { zh: "请写较短的路径", en: "write a shorter path" },
    );
  }

  #at(key: string, what: Bilingual, instead: Bilingual): Problem {
    return { key, origin: this.#settings.get(key)?.origin ?? this.mainFile, what, instead };
  }
}
