import { constants } from "node:fs";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { silentLog } from "../../../agent/common/log/log.ts";
import type { Random } from "../../../agent/common/random.ts";
import type { State } from "../../../agent/store/credential.ts";
import { openStore, type StoreOptions } from "../../../agent/store/store.ts";
import type { Store } from "../../../agent/store/store-types.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { shopIdentity, stateOf } from "../fixtures/store-fixture.ts";
import type { CredentialService } from "./crash-explorer.ts";
import type { CrashFile, CrashFiles, Image } from "./crash-files.ts";

/** The state with this number, whose authinfo has so many octets. */
export function numberedState(value: number, octets: number): State {
  return stateOf(value, { authinfo: `#${value}#`.padEnd(octets, `the authinfo number ${value}, `) });
}

export function numberIn(state: State): number | undefined {
  const number = /^#(\d+)#/.exec(state.credential?.authinfo ?? "")?.[1];
  return number === undefined ? undefined : Number(number);
}

/** Chance that is the same in every run and differs between starts. */
function numberedEntropy(boot: number): Random {
  let drawn = 0;
  const bytes = (length: number) => {
    const octets = Buffer.alloc(length);
    octets.writeUInt16BE(boot % 65_536);
    octets.writeUInt16BE(++drawn, length - 2);
    return octets;
  };
  return { unit: () => 0.5, bytes };
}

/** `openStore` on a disk of the test's own; only the directory itself is a real one, and stays empty. */
export function startStore(
  directory: string,
  fileSystem: CrashFiles,
  boot: number,
  more: Partial<StoreOptions> = {},
): Promise<Store> {
  return openStore({
    directory,
    identity: shopIdentity,
    clock: new FakeClock(),
    random: numberedEntropy(boot),
    log: silentLog,
    lock: { release: async () => {} },
    fileSystem,
    ...more,
  });
}

const NAMES = /^(state\.sealed|state\.prev\.sealed|store\.key|state\.corrupt-[0-9TZ]+(-\d+)?)$/;

/** The store as the agent uses it. */
export function sealedStore(directory: string, octets: number): CredentialService {
  return {
    async start(files, boot) {
      const store = await startStore(directory, files, boot);
      const { state } = store;
      const { loaded, dirty } = store.status();
      const found = numberIn(state);
      return {
        found,
        intact: found !== undefined && isDeepStrictEqual(state, numberedState(found, octets)),
        how: loaded,
        promised: !dirty,
        write: (value) => store.write(numberedState(value, octets)),
        stop: () => store.close(),
      };
    },
    tidy(image) {
      const names = [...image.keys()];
      const aside = names.filter((name) => name.startsWith("state.corrupt-"));
      return (
        names.every((name) => NAMES.test(name)) &&
        aside.length <= 3 &&
        [...image.values()].every(({ mode }) => mode === 0o600)
      );
    },
  };
}

interface Endpoint {
  write(files: CrashFiles, file: string, bytes: Buffer): Promise<void>;
}

const FILE = "db.json";
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;

/** fs.promises.writeFile straight onto the file. */
export const plainWriteFile: Endpoint = {
  async write(files, file, bytes) {
    const handle = await files.open(file, CREATE);
    try {
      await handle.writeFile(bytes);
    } finally {
      await handle.close();
    }
  },
};

/** steno 4.0.2, which lowdb's own adapters use: writeFile to one fixed temporary name, rename, no fsync (its lib/index.js). */
export const steno: Endpoint = {
  async write(files, file, bytes) {
    const temporary = path.join(path.dirname(file), `.${path.basename(file)}.tmp`);
    await plainWriteFile.write(files, temporary, bytes);
    await files.rename(temporary, file);
  },
};

/** write-file-atomic 8.0.0: ONE write(2) whose count is not looked at, fsync, rename, no fsync of the directory (its lib/index.js). */
export const writeFileAtomic: Endpoint = {
  async write(files, file, bytes) {
    const temporary = `${file}.123456`;
    let handle: CrashFile | undefined;
    try {
      handle = await files.open(temporary, CREATE);
      await handle.write(bytes);
      await handle.sync();
      await handle.close();
      await files.rename(temporary, file);
    } catch (error) {
      await handle?.close();
      await files.unlink(temporary).catch(() => undefined);
      throw error;
    }
  },
};

/** A JSON file that is written in one of these ways and read as lowdb reads: what cannot be parsed is an error. */
export function jsonFile(directory: string, octets: number, way: Endpoint): CredentialService {
  const file = path.join(directory, FILE);
  const textOf = (value: number) => JSON.stringify(numberedState(value, octets));
  return {
    async start(files) {
      const text = await readAll(files, file);
      const state = text === undefined ? undefined : (JSON.parse(text) as State);
      const found = state && numberIn(state);
      return {
        found,
        intact: found !== undefined && text === textOf(found),
        how: state ? "current" : "empty",
        promised: true,
        write: (value) => way.write(files, file, Buffer.from(textOf(value))),
        stop: async () => {},
      };
    },
    // Neither of them clears up after a crash; that is not held against them here.
    tidy: (_image: Image) => true,
  };
}

async function readAll(files: CrashFiles, file: string): Promise<string | undefined> {
  const handle = await files.open(file, constants.O_RDONLY).catch(() => undefined);
  if (!handle) return undefined;
  const { size } = await handle.stat();
  const bytes = Buffer.alloc(size);
  await handle.read(bytes, 0, size, 0);
  await handle.close();
  return bytes.toString();
}
