import type { AnyMessage } from "../../messages/message.ts";
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

  problem(key: string, what: AnyMessage, instead: AnyMessage): void {
    this.problems.push(this.#at(key, what, instead));
  }

  warning(key: string, what: AnyMessage, instead: AnyMessage): void {
    this.warnings.push(this.#at(key, what, instead));
  }

  /** The rule for every path of a unix socket. */
  socketPath(key: string, path: string | undefined): void {
    const octets = path === undefined ? 0 : Buffer.byteLength(path);
    if (octets <= LONGEST_SOCKET_PATH) return;
    this.problem(
      key,
      { id: "rule.socket_path_long", params: { octets, most: LONGEST_SOCKET_PATH } },
      { id: "rule.shorter_path" },
    );
  }

  #at(key: string, what: AnyMessage, instead: AnyMessage): Problem {
    return { key, origin: this.#settings.get(key)?.origin ?? this.mainFile, what, instead };
  }
}
