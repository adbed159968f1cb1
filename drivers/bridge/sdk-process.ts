import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { type Clock, withDeadline } from "../../agent/common/clock.ts";
import { AgentError, asAgentError, systemCode } from "../../agent/common/errors.ts";
import type { Random } from "../../agent/common/random.ts";
import { encodeFrame, FrameDecoder } from "../line/frame.ts";
import { CallQueue } from "../sdk/call-queue.ts";
import { nativeFailure } from "../sdk/rules.ts";
import { checkLibrary } from "./library.ts";
import { ANSWERS } from "./sdk-host.ts";
import { type HostMessage, readHostMessage } from "./sdk-messages.ts";

export interface SdkProcessParts {
  /** The vendor's library, an absolute path. */
  readonly library: string;
  /** Program and first arguments of a process that ends up in `hostSdk`; library and parent's pid are appended. */
  readonly command: readonly [program: string, ...args: string[]];
  /** What the library prints goes to our stderr instead of nowhere. It may hold secrets. */
  readonly showOutput: boolean;
  /** For Node to start and the library to load: 40 to 80 ms on a quick machine, but a board may be busy with its own start. */
  readonly loadTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  /** A process is gone, and why. */
  readonly onEnd: (problem: AgentError, session: string) => void;
}

/** A process in the kernel's hands (a camera driver that hangs) outlives even SIGKILL: more of them do not help. */
const MOST_UNDEAD = 3;
const CLOSE_DEADLINE_MS = 1_000;

/** The vendor's SDK in a process of its own. Whatever it does, `call` settles within its deadline and the next one finds a fresh process. */
export class SdkProcess {
  readonly #parts: SdkProcessParts;
  readonly #queue = new CallQueue();
  readonly #end = new AbortController();
  #child: Child | undefined;
  /** Processes that the kernel still has, also those that were given up. */
  #alive = 0;
  #sessions = 0;
  #session: string;

  constructor(parts: SdkProcessParts) {
    this.#parts = parts;
    this.#session = this.#newSession();
  }

  /** Another one for each process: what the SDK knew has gone with the one before. */
  get session(): string {
    return this.#session;
  }

  /** Loads the library, so that what is wrong with it is known before the first call. Rejects as `call` does. */
  async start(): Promise<void> {
    await this.#queue.run("agent", async () => void (await this.#running()), this.#end.signal);
  }

  /**
   * One request of `wxpayCallFaceService`, one at a time; resolves to the answer's octets. Rejects with SDK_*, with the signal's
   * reason while it still waits for its turn.
   */
  async call(request: Uint8Array, timeoutMs: number, signal: AbortSignal): Promise<Buffer> {
    this.#end.signal.throwIfAborted();
    return await this.#queue.run("agent", () => this.#callNow(request, timeoutMs), signal);
  }

  async close(): Promise<void> {
    const reason = new AgentError("BRIDGE_CLOSED", {});
    this.#end.abort(reason);
    this.#queue.clear(reason);
    await this.#child?.close();
  }

  async #callNow(request: Uint8Array, timeoutMs: number): Promise<Buffer> {
    const child = await this.#running();
    const late = () => new AgentError("SDK_HUNG", { ms: timeoutMs });
    const answer = await this.#orGiveUp(child, withDeadline(child.ask(request), timeoutMs, this.#parts.clock, late));
    if (answer.kind === "answer") return answer.octets;
    if (answer.kind === "status") throw nativeFailure(answer.status);
    if (answer.kind === "failed") throw answer.error;
    throw new AgentError("SDK_ANSWER_INVALID.out_of_turn", {});
  }

  async #running(): Promise<Child> {
    if (this.#child) return this.#child;
    const { library, clock, loadTimeoutMs } = this.#parts;
    await checkLibrary(library);
    this.#end.signal.throwIfAborted();
    if (this.#alive >= MOST_UNDEAD) {
      throw new AgentError("SDK_HUNG.processes", { count: this.#alive });
    }
    const child = new Child(this.#parts, (problem) => this.#ended(child, problem));
    this.#child = child;
    this.#alive++;
    void child.gone.then(() => this.#alive--);
    const late = () => new AgentError("SDK_HUNG.loading", { ms: loadTimeoutMs });
    const first = await this.#orGiveUp(child, withDeadline(child.first, loadTimeoutMs, clock, late));
    if (first.kind === "ready") return child;
    const problem = first.kind === "failed" ? first.error : new AgentError("SDK_ANSWER_INVALID.no_greeting", {});
    child.kill(problem);
    throw problem;
  }

  async #orGiveUp<T>(child: Child, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      child.kill(asAgentError(error));
      throw error;
    }
  }

  #ended(child: Child, problem: AgentError): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    const session = this.#session;
    this.#session = this.#newSession();
    if (!this.#end.signal.aborted) this.#parts.onEnd(problem, session);
  }

  #newSession(): string {
    return `${++this.#sessions}-${this.#parts.random.bytes(8).toString("hex")}`;
  }
}

/** One process of the SDK. */
class Child {
  /** Ready, or why the library cannot be used. */
  readonly first: Promise<HostMessage>;
  /** Resolves when the kernel has taken everything back. */
  readonly gone: Promise<void>;
  readonly #clock: Clock;
  readonly #process: ChildProcess;
  readonly #onEnd: (problem: AgentError) => void;
  #waiting: PromiseWithResolvers<HostMessage>;
  #ended = false;

  constructor({ command, library, showOutput, clock }: SdkProcessParts, onEnd: (problem: AgentError) => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
    this.#waiting = Promise.withResolvers();
    this.first = this.#waiting.promise;
    const output = showOutput ? 2 : "ignore";
    const [program, ...args] = command;
    const child = spawn(program, [...args, library, String(process.pid)], {
      stdio: ["pipe", output, output, "pipe"],
      env: environment(),
      // A group of its own, which is ended whole: a helper that the library has started would keep the camera.
      detached: true,
    });
    this.#process = child;
    const { stdin, stdio } = child as { stdin: Writable; stdio: readonly unknown[] };
    // A process that dies while it is written to is reported by its end.
    stdin.on("error", () => undefined);
    const answers = stdio[ANSWERS] as Readable;
    const decoder = new FrameDecoder();
    answers.on("data", (chunk: Buffer) => {
      for (const payload of decoder.push(chunk)) this.#take(payload);
    });
    answers.on("error", () => undefined);
    const gone = Promise.withResolvers<void>();
    this.gone = gone.promise;
    child.once("error", (error) => {
      // It never came to be: no "exit" will follow.
      gone.resolve();
      this.#end(new AgentError("INTERNAL.unexpected", { error: error.message }, { cause: error }));
    });
    child.once("exit", (code, signal) => {
      gone.resolve();
      // Not "close": a process that the library has started may keep a descriptor for ever.
      answers.destroy();
      this.#end(new AgentError("SDK_CRASHED", { ended: signal ?? `exit code ${code}` }));
    });
  }

  async ask(request: Uint8Array): Promise<HostMessage> {
    this.#waiting = Promise.withResolvers();
    this.#process.stdin?.write(encodeFrame(request));
    return await this.#waiting.promise;
  }

  kill(problem: AgentError): void {
    const { pid } = this.#process;
    // Only while it has not been waited for: afterwards the number may be another's.
    if (pid !== undefined && !this.#ended) endGroup(pid);
    this.#end(problem);
  }

  /** The end of its input ends it, unless it hangs. */
  async close(): Promise<void> {
    this.#process.stdin?.end();
    const late = () => new AgentError("SDK_HUNG.ending", {});
    await withDeadline(this.gone, CLOSE_DEADLINE_MS, this.#clock, late).catch((error: unknown) =>
      this.kill(asAgentError(error)),
    );
  }

  #take(payload: Buffer): void {
    const message = readHostMessage(payload);
    // Anything else was written by the library into a descriptor that is not its own.
    if (message) this.#waiting.resolve(message);
  }

  #end(problem: AgentError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd(problem);
    this.#waiting.promise.catch(() => undefined);
    this.#waiting.reject(problem);
  }
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // It has just ended by itself; its "exit" is on the way.
    if (systemCode(error) !== "ESRCH") throw error;
  }
}

/** The library may need any of it but Node's own settings, which are ours. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("NODE_"));
  return Object.fromEntries(kept);
}
