/** Facts of an event: numbers, short strings and truth values, never an object. */
export type EventFields = Readonly<Record<string, string | number | boolean>>;

export interface TelemetryEvent {
  readonly at: string;
  readonly code: string;
  readonly fields: EventFields;
}

const KEPT = 100;

/**
 * What has happened and is not published yet: the last 100, in order. An id is given when an event goes out for the first time, so that ids
 * grow without a gap; what was dropped is an event of its own, and a repeated id is the same event again.
 */
export class EventQueue {
  readonly #session: string;
  readonly #waiting: TelemetryEvent[] = [];
  #dropped = 0;
  #droppedAt = "";
  #lastId = 0;
  #sending: string | undefined;

  constructor(session: string) {
    this.#session = session;
  }

  get waiting(): number {
    return this.#waiting.length + (this.#sending === undefined ? 0 : 1);
  }

  add(event: TelemetryEvent): void {
    this.#waiting.push(event);
    if (this.#waiting.length <= KEPT) return;
    this.#droppedAt = this.#waiting.shift()?.at ?? "";
    this.#dropped++;
  }

  /** The payload to publish next; the same one until it has been `sent`. */
  next(): string | undefined {
    this.#sending ??= this.#take();
    return this.#sending;
  }

  /** The broker has taken it over. */
  sent(): void {
    this.#sending = undefined;
  }

  #take(): string | undefined {
    if (this.#dropped > 0) {
      const lost = { at: this.#droppedAt, code: "EVENTS_DROPPED", fields: { count: this.#dropped } };
      this.#dropped = 0;
      return this.#payload(lost);
    }
    const event = this.#waiting.shift();
    return event && this.#payload(event);
  }

  #payload({ at, code, fields }: TelemetryEvent): string {
    const id = ++this.#lastId;
    return JSON.stringify({ id, session: this.#session, at, code, ...fields });
  }
}
