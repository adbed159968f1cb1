import type { Socket } from "node:net";

/** What scripts/test-machines/control.ts answers. */
export interface Reply {
  readonly id: number;
  readonly code?: number | string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly status?: number;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly error?: string;
}

/** This end of the control line of a board. */
export class ControlLine {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (reply: Reply | Error) => void>();
  #last = 0;
  #up = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    let rest = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#take(JSON.parse(line));
    });
    socket.on("error", () => {});
    socket.once("close", () => {
      for (const settle of this.#waiting.values()) settle(new Error("the board is off"));
    });
  }

  /** The program inside has started. */
  get up(): boolean {
    return this.#up;
  }

  async ask(what: object, withinMs: number): Promise<Reply> {
    const id = ++this.#last;
    const answered = new Promise<Reply | Error>((resolve) => this.#waiting.set(id, resolve));
    const timer = setTimeout(() => this.#waiting.get(id)?.(new Error(`no reply in ${withinMs} ms`)), withinMs);
    this.#socket.write(`${JSON.stringify({ id, ...what })}\n`);
    try {
      const reply = await answered;
      if (reply instanceof Error) throw reply;
      return reply;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(reply: Reply): void {
    if (reply.id === 0) this.#up = true;
    this.#waiting.get(reply.id)?.(reply);
  }
}
