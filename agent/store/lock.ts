import { chmod, constants, open, readdir, rename, unlink } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import type { Clock } from "../common/clock.ts";
import { AgentError, systemCode } from "../common/errors.ts";
import type { Log } from "../common/log/log.ts";
import type { Random } from "../common/random.ts";

/** Only one agent may write into a state directory. */
export interface DirectoryLock {
  release(): Promise<void>;
}

export interface LockOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface Rival {
  readonly name: string;
  readonly pid: string;
  /** `silent`: it lives but does not answer: stopped, very busy, or about to end. */
  readonly claim: "held" | "trying" | "silent";
}

interface Candidate {
  readonly name: string;
  hold(): void;
  withdraw(): Promise<void>;
}

const PUBLISHED = /^lock\.[0-9a-f]{16}\.(\d+)$/;
const UNPUBLISHED = /^\.lock\.[0-9a-f]{16}\.\d+\.tmp$/;
const ANSWER_MS = 2_000;
const DECISION_MS = 6_000;
const POLL_MS = 25;
const PUBLISH_TRIES = 5;

/**
 * Takes the directory, or throws STORE_LOCKED with the holder's pid. Node has no flock(2). A listening unix socket serves
 * instead: the kernel ends it with its process, however that dies. Every starter first publishes a socket of its own
 * (`lock.<random>.<pid>`) and then asks all others, so of two starters at least one sees the other. One who holds wins, else
 * the lower name. No socket is ever displaced, so that a holder cannot lose the lock to a slow starter.
 * Where no socket can be made (read-only or full disk) nobody can write state either: the start goes on, with a warning.
 */
export async function lockDirectory(directory: string, options: LockOptions): Promise<DirectoryLock> {
  const { log } = options;
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    log.warn("STORE_UNLOCKED", { directory, errno: systemCode(error) });
    return { release: async () => {} };
  }
  // A socket's path holds 107 octets at most (unix(7)); this one is short however deep the directory lies.
  const base = `/proc/self/fd/${handle.fd}`;
  try {
    const candidate = await publish(directory, base, options);
    try {
      await prevail(candidate, directory, base, options);
    } catch (error) {
      await candidate.withdraw();
      throw error;
    }
    candidate.hold();
    return { release: candidate.withdraw };
  } catch (error) {
    if (error instanceof AgentError) throw error;
    const [rival] = await census(base, undefined, options.clock).catch((): Rival[] => []);
    if (rival !== undefined) throw lockedBy(rival, directory);
    log.warn("STORE_UNLOCKED", { directory, errno: systemCode(error) });
    return { release: async () => {} };
  } finally {
    await handle.close().catch(() => {
      // Only its number was needed, and that is gone either way.
    });
  }
}

/**
 * The pid of the agent that holds the directory, for one who only looks: nothing is published and nothing removed. Rejects when
 * the directory may not be read.
 */
export async function holderOf(directory: string, clock: Clock): Promise<number | undefined> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const base = `/proc/self/fd/${handle.fd}`;
    for (const name of await readdir(base)) {
      const pid = PUBLISHED.exec(name)?.[1];
      if (pid === undefined) continue;
      const answer = await ask(`${base}/${name}`, clock);
      if (answer === "held" || answer === "silent") return Number(pid);
    }
    return undefined;
  } finally {
    await handle.close();
  }
}

/** Listens under a hidden name and shows it by rename(2): a name that is seen and refuses is dead, not merely early. */
async function publish(directory: string, base: string, { random }: LockOptions): Promise<Candidate> {
  for (let tries = 1; ; tries++) {
    const name = `lock.${random.bytes(8).toString("hex")}.${process.pid}`;
    const hidden = `${base}/.${name}.tmp`;
    let held = false;
    const server = net.createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.end(`${process.pid} ${held ? "held" : "trying"}\n`, () => socket.destroy());
    });
    const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
    try {
      await listen(server, hidden);
      // The lock must not keep a process alive that has nothing else to do.
      server.unref();
      await chmod(hidden, 0o600);
      await rename(hidden, `${base}/${name}`);
    } catch (error) {
      if (server.listening) await close();
      // Another starter took the hidden name for a leftover, in the instant between bind(2) and listen(2).
      if (systemCode(error) === "ENOENT" && tries < PUBLISH_TRIES) continue;
      throw error;
    }
    return {
      name,
      hold() {
        held = true;
      },
      async withdraw() {
        if (!server.listening) return;
        await remove(path.join(directory, name));
        await close();
      },
    };
  }
}

/** Resolves when nobody else holds or is before us. */
async function prevail(own: Candidate, directory: string, base: string, { clock }: LockOptions): Promise<void> {
  const deadline = clock.boot() + DECISION_MS;
  for (;;) {
    const rivals = await census(base, own.name, clock);
    if (rivals.length === 0) return;
    const winner = rivals.find(({ claim, name }) => claim === "held" || (claim === "trying" && name < own.name));
    const [first] = rivals;
    if (winner !== undefined) throw lockedBy(winner, directory);
    if (first !== undefined && clock.boot() >= deadline) throw lockedBy(first, directory);
    await clock.sleep(POLL_MS);
  }
}

/** All living others; the sockets of the dead are removed. */
async function census(base: string, own: string | undefined, clock: Clock): Promise<Rival[]> {
  const rivals: Rival[] = [];
  for (const name of await readdir(base)) {
    const pid = PUBLISHED.exec(name)?.[1];
    if (name === own || (pid === undefined && !UNPUBLISHED.test(name))) continue;
    const answer = await ask(`${base}/${name}`, clock);
    if (answer === "dead") await remove(`${base}/${name}`);
    else if (answer !== "gone" && pid !== undefined) rivals.push({ name, pid, claim: answer });
  }
  return rivals;
}

async function ask(socketPath: string, clock: Clock): Promise<Rival["claim"] | "dead" | "gone"> {
  const deadline = new AbortController();
  const socket = net.connect({ path: socketPath });
  const answer = new Promise<Rival["claim"] | "dead" | "gone">((resolve) => {
    let text = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      text = (text + chunk).slice(0, 64);
      const claim = /^\d+ (held|trying)\n/.exec(text)?.[1];
      if (claim === "held" || claim === "trying") resolve(claim);
    });
    socket.on("error", (error) => {
      const code = systemCode(error);
      resolve(code === "ECONNREFUSED" ? "dead" : code === "ENOENT" ? "gone" : "silent");
    });
    socket.on("close", () => resolve("silent"));
    clock.sleep(ANSWER_MS, deadline.signal).then(
      () => resolve("silent"),
      () => resolve("silent"),
    );
  });
  try {
    return await answer;
  } finally {
    deadline.abort();
    socket.destroy();
  }
}

function listen(server: net.Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path: socketPath }, () => {
      server.off("error", reject);
      // accept(2) may run out of descriptors; whoever asked then gets no answer, which counts as "it lives".
      server.on("error", () => {});
      resolve();
    });
  });
}

async function remove(file: string): Promise<void> {
  try {
    await unlink(file);
  } catch {
    // Gone already, or on a read-only disk. A dead socket does no harm; the next start tries again.
  }
}

function lockedBy({ pid, name }: Rival, directory: string): AgentError {
  return new AgentError("STORE_LOCKED", { directory, pid: Number(pid) }, { context: { lock: name } });
}
