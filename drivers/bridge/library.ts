import { constants, open } from "node:fs/promises";
import path from "node:path";
import { AgentError, systemCode } from "../../agent/common/errors.ts";

/** ELF header (System V gABI, chapter 4): where the facts stand and what they say. */
const HEADER_OCTETS = 20;
const MAGIC = Buffer.from("\x7fELF", "latin1");
const CLASS_AT = 4;
const DATA_AT = 5;
const TYPE_AT = 16;
const MACHINE_AT = 18;
const BITS_64 = 2;
const BIG_ENDIAN = 2;
const SHARED_OBJECT = 3;

const machines: Readonly<Record<number, string>> = {
  3: "32-bit x86",
  8: "MIPS",
  20: "PowerPC",
  21: "64-bit PowerPC",
  40: "32-bit ARM",
  62: "x86-64",
  183: "64-bit ARM",
  243: "RISC-V",
  258: "LoongArch",
};

/** The machine of each architecture the agent runs on. */
const ownMachine: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };

/**
 * Looks at a library before it is loaded: the loader's own text for these cases ("wrong ELF class") does not help. Rejects with
 * SDK_LIBRARY_MISSING, SDK_LIBRARY_ARCH or SDK_LIBRARY_UNUSABLE.
 */
export async function checkLibrary(file: string, arch: string = process.arch): Promise<void> {
  const name = path.basename(file);
  try {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await handle.stat()).isFile()) throw new AgentError("SDK_LIBRARY_UNUSABLE.not_file", { library: name });
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEADER_OCTETS), 0, HEADER_OCTETS, 0);
    const problem = headerFault(name, buffer.subarray(0, bytesRead), arch);
    if (problem) throw problem;
  } catch (error) {
    if (error instanceof AgentError) throw error;
    const code = systemCode(error) ?? "unknown error";
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new AgentError("SDK_LIBRARY_MISSING", { library: name }, { cause: error });
    }
    throw new AgentError("SDK_LIBRARY_UNUSABLE.unreadable", { library: name, error: code }, { cause: error });
  }
}

/** What is wrong with a file that begins like this, undefined for a shared library of this architecture. */
export function headerFault(library: string, header: Buffer, arch: string): AgentError | undefined {
  const board = machines[ownMachine[arch] ?? 0] ?? arch;
  if (header.subarray(0, 2).toString("latin1") === "MZ") {
    return new AgentError("SDK_LIBRARY_ARCH.windows", { library, board });
  }
  if (!header.subarray(0, MAGIC.length).equals(MAGIC)) {
    return new AgentError("SDK_LIBRARY_UNUSABLE.not_elf", { library });
  }
  if (header.length < HEADER_OCTETS) return new AgentError("SDK_LIBRARY_UNUSABLE.truncated", { library });
  const bigEndian = header[DATA_AT] === BIG_ENDIAN;
  const half = (at: number) => (bigEndian ? header.readUInt16BE(at) : header.readUInt16LE(at));
  const machine = half(MACHINE_AT);
  if (machine !== ownMachine[arch] || header[CLASS_AT] !== BITS_64 || bigEndian) {
    const built = machines[machine] ?? `machine ${machine}`;
    return new AgentError("SDK_LIBRARY_ARCH", { library, built, board });
  }
  if (half(TYPE_AT) !== SHARED_OBJECT) return new AgentError("SDK_LIBRARY_UNUSABLE.not_shared", { library });
  return undefined;
}
