import type { Action } from "./page-view.ts";

type Outcome = NonNullable<Action["outcome"]>;

/** What a button sets going: one at a time, and the page tells of it without waiting for its end. */
export class BackgroundAction {
  readonly #act: (signal: AbortSignal) => Promise<Outcome>;
  readonly #failed: (error: unknown) => Outcome;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #outcome: Outcome | undefined;

  constructor(act: (signal: AbortSignal) => Promise<Outcome>, failed: (error: unknown) => Outcome) {
    this.#act = act;
    this.#failed = failed;
  }

  get now(): Action {
    return { running: this.#running !== undefined, outcome: this.#outcome };
  }

  /** Nothing new begins while it is under way. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Calls it off. What cannot be called off is not waited for. */
  stop(): void {
    this.#stopping.abort(new Error("the page has ended"));
  }

  async #run(): Promise<void> {
    try {
      this.#outcome = await this.#act(this.#stopping.signal);
    } catch (error) {
      this.#outcome = this.#failed(error);
    } finally {
      this.#running = undefined;
    }
  }
}
