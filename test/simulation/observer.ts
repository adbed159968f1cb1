import type { AgentProcess } from "./agent-process.ts";
import { settle } from "./virtual-time.ts";
import type { World } from "./world.ts";

/** The document of `GET /v1/authinfo` (specification 5). */
export interface AuthinfoDocument {
  readonly authinfo: string;
  readonly device_id: string;
  readonly state: string;
  readonly generation: number;
  readonly obtained_at: string;
  readonly expires_at: string;
  readonly remaining_s: number;
  readonly expiry_source: string;
  readonly clock_trusted: boolean;
  readonly persisted: boolean;
  readonly renewal?: { readonly failing: boolean; readonly code: string };
}

export interface Problem {
  readonly code: string;
  readonly cause?: { readonly code: string };
}

export interface Observation {
  readonly atMs: number;
  /** How it was told. */
  readonly by: "read" | "event" | "stale";
  readonly document?: AuthinfoDocument;
  readonly problem?: Problem;
}

/** Reads what the agent shows, as an app and a technician would, and hands it to those who judge. */
export class Observer {
  readonly #world: World;
  readonly #judges: ((seen: Observation) => void)[] = [];
  readonly #texts: ((text: string, where: string) => void)[] = [];
  #lastReadAt = Number.NEGATIVE_INFINITY;
  #wanted = false;
  #watched: AgentProcess | undefined;
  #told = "";
  reads = 0;
  #looks = 0;
  last: Observation | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  judge(act: (seen: Observation) => void): void {
    this.#judges.push(act);
  }

  /** Everything that is not meant to hold a secret. */
  judgeText(act: (text: string, where: string) => void): void {
    this.#texts.push(act);
  }

  /** The next step is followed by a look in any case. */
  lookSoon(): void {
    this.#wanted = true;
  }

  /** @param apartMs how far apart looks may be */
  async afterStep(apartMs: number): Promise<void> {
    const { process, now } = this.#world;
    if (process?.cashier === undefined || !process.running) return;
    if (this.#watched !== process) this.#watch(process);
    if (!this.#wanted && now - this.#lastReadAt < apartMs) return;
    this.#wanted = false;
    this.#lastReadAt = now;
    await this.#read(process, "/v1/authinfo", "read");
  }

  /** What only a technician sees, and what only an app that takes a stale one sees. */
  async lookClosely(): Promise<void> {
    const { process } = this.#world;
    if (process?.cashier === undefined || !process.running) return;
    // What was asked for just before is answered first.
    for (let turn = 0; turn < 10; turn++) await settle();
    await this.#read(process, "/v1/authinfo?stale=ok", "stale");
    // Metrics take as long as all the rest.
    const paths = this.#looks++ % 8 === 0 ? ["/v1/status", "/metrics", "/readyz"] : ["/v1/status"];
    for (const path of paths) {
      const reply = await process.admin?.ask("GET", path);
      if (process.running) this.#text(reply?.text ?? "", path);
      if (process.running && reply === undefined) this.#world.fail("api-answers", `no answer to GET ${path}`);
    }
  }

  async status(): Promise<Record<string, never> | undefined> {
    const reply = await this.#world.process?.admin?.ask("GET", "/v1/status");
    return reply === undefined ? undefined : (JSON.parse(reply.text) as Record<string, never>);
  }

  async #read(process: AgentProcess, path: string, by: "read" | "stale"): Promise<void> {
    const reply = await process.cashier?.ask("GET", path);
    if (!process.running) return;
    this.reads++;
    if (reply === undefined) {
      this.#world.fail("api-answers", `no answer to GET ${path}`);
      return;
    }
    this.#tell(reply.status === 200 ? "authinfo" : "unavailable", reply.text, by);
    if (reply.status !== 200 && reply.status !== 503) this.#world.fail("api-answers", `GET ${path}: ${reply.status}`);
  }

  #watch(process: AgentProcess): void {
    this.#watched = process;
    process.cashier?.watch("/v1/authinfo/events", (event, data) => {
      if (!process.running) return;
      this.#wanted = true;
      this.#tell(event, data, "event");
    });
  }

  #tell(kind: string, text: string, by: Observation["by"]): void {
    const { now } = this.#world;
    const parsed = JSON.parse(text) as AuthinfoDocument & Problem;
    const seen: Observation =
      kind === "authinfo" ? { atMs: now, by, document: parsed } : { atMs: now, by, problem: parsed };
    const { authinfo, remaining_s, ...shown } = parsed;
    const words = JSON.stringify(
      kind === "authinfo"
        ? { kind, ...shown, authinfo: authinfo.slice(0, 16) }
        : { kind, code: parsed.code, cause: parsed.cause?.code },
    );
    if (words !== this.#told) this.#world.note(`${by} ${remaining_s} ${words}`);
    this.#told = words;
    this.last = seen;
    if (kind !== "authinfo") this.#text(text, "problem");
    for (const judge of this.#judges) judge(seen);
  }

  #text(text: string, where: string): void {
    for (const judge of this.#texts) judge(text, where);
  }
}
