import { unlink } from "node:fs/promises";
import { systemCode } from "../common/errors.ts";
import { nodeFileSystem, readSmallFile } from "../common/files/file-system.ts";
import type { Random } from "../common/random.ts";
import { editToml, type TomlValue } from "./edit-toml.ts";
import { valuesIn } from "./existing-values.ts";
import { installFile } from "./key-files.ts";
import type { Answers } from "./questions.ts";

const LARGEST = 64 * 1024;

/**
 * What a technician has answered, beside the configuration that is to be, until that is written: fourteen answers are not typed twice
 * because a cable was loose. Values and paths only, which a configuration holds as well; never what is in a key file.
 */
export class KeptAnswers {
  readonly file: string;
  readonly #random: Random;

  constructor(target: string, random: Random) {
    this.file = `${target}.answers`;
    this.#random = random;
  }

  async read(): Promise<Map<string, TomlValue>> {
    const read = await readSmallFile(nodeFileSystem, this.file, LARGEST);
    return read.kind === "read" ? valuesIn(read.bytes.toString("utf8")) : new Map();
  }

  /** Best effort: where nothing may be written, the set-up itself will say so. */
  async keep(answers: Answers): Promise<void> {
    const { text } = editToml("", new Map(answers), () => undefined);
    const rights = { secret: true, owner: undefined };
    await installFile(this.file, Buffer.from(text), rights, this.#random).catch(unlessFiles);
  }

  async forget(): Promise<void> {
    await unlink(this.file).catch(unlessFiles);
  }
}

function unlessFiles(error: unknown): void {
  if (systemCode(error) === undefined) throw error;
}
