import type { Clock } from "../common/clock.ts";
import { AgentError, asAgentError, type FailureRecord, failureFields } from "../common/errors.ts";
import type { Log, LogFields } from "../common/log/log.ts";
import type { Random } from "../common/random.ts";
import type { TelemetryConfig } from "../config/config.ts";
import type { TelemetrySecretsResult } from "../config/secrets/telemetry-secrets.ts";
import { createNameLookup } from "../wechatpay/transport/name-lookup.ts";
import { auditFields } from "./audit.ts";
import { CommandDesk, type CommandRunners } from "./command-desk.ts";
import { type BrokerConnection, connectBroker } from "./connection.ts";
import { EventQueue } from "./event-queue.ts";
import { type Health, healthSignature } from "./health.ts";
import { ReconnectPacing, untilHeartbeat } from "./pacing.ts";
import { contradicts, Presences } from "./presence.ts";
import { type Topics, topicLevel, topicsOf } from "./topics.ts";

export interface TelemetryParts {
  readonly config: TelemetryConfig;
  readonly spMchid: string;
  readonly version: string;
  readonly bootId: string;
  /** Undefined until the bridge, a kept authinfo or the configuration tells. */
  readonly deviceId: () => string | undefined;
  readonly health: () => Health;
  readonly clockTrusted: () => boolean;
  /** Read for each connection, so that renewed files count from the next one on. */
  readonly secrets: () => TelemetrySecretsResult;
  readonly commands: CommandRunners;
  /** Why nothing is reported, and undefined when it is again. */
  readonly onTrouble: (failure: FailureRecord | undefined) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** How often it is looked whether there is something new to tell; a report out of turn comes no sooner (specification 10). */
const LOOK_MS = 5_000;
/** A stranger who keeps writing over our state is answered, but no faster. */
const BIRTH_EVERY_MS = 2_000;
const CONNECT_TIMEOUT_MS = 20_000;
const LEAVE_MS = 500;

/** What is known of one connection while it stands. */
interface Session {
  readonly connection: BrokerConnection;
  readonly topics: Topics;
  readonly deviceId: string;
  readonly birth: string;
  readonly will: string;
}

/**
 * Reports this terminal to the operator's broker (specification 10). One message at a time, each with its acknowledgement, so that a slow
 * broker is given no more than it takes; nothing in here is ever waited for by the main job.
 */
export class Telemetry {
  readonly #parts: TelemetryParts;
  readonly #pacing = new ReconnectPacing();
  readonly #presences: Presences;
  readonly #events: EventQueue;
  readonly #desk: CommandDesk;
  readonly #names = createNameLookup(CONNECT_TIMEOUT_MS);
  #connected = false;
  #birthDue = false;
  #troubled: string | undefined;
  #wake: () => void = () => {};

  constructor(parts: TelemetryParts) {
    this.#parts = parts;
    const { version, bootId, random, config, commands, clock, log, clockTrusted } = parts;
    const session = random.bytes(8).toString("hex");
    this.#presences = new Presences({ session, version, boot_id: bootId });
    this.#events = new EventQueue(session);
    const onAnswer = () => this.#wake();
    this.#desk = new CommandDesk({ allowed: config.commands, commands, clock, log, clockTrusted, onAnswer });
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Something was written to the log: told to the operator as well, if it is of those that leave the terminal. */
  event(code: string, fields?: LogFields): void {
    const kept = auditFields(code, fields);
    if (kept === undefined) return;
    this.#events.add({ at: new Date(this.#parts.clock.wall()).toISOString(), code, fields: kept });
    this.#wake();
  }

  /** Until the signal falls. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#parts;
    let pauseMs = this.#pacing.start(random.unit());
    while (!signal.aborted) {
      await clock.sleep(pauseMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      const stoodMs = await this.#attempt(signal);
      pauseMs = this.#pacing.after(stoodMs, random.unit());
    }
  }

  /** One connection from its beginning to its end; resolves to how long it was in use. */
  async #attempt(signal: AbortSignal): Promise<number> {
    const { clock, log, config } = this.#parts;
    let since: number | undefined;
    try {
      const session = await this.#open(signal);
      since = clock.boot();
      try {
        await this.#greet(session);
        this.#connected = true;
        this.#troubled = undefined;
        this.#parts.onTrouble(undefined);
        log.info("TELEMETRY_CONNECTED", { broker: `${config.broker.host}:${config.broker.port}` });
        await this.#report(session, signal);
      } finally {
        this.#connected = false;
        await this.#leave(session);
      }
    } catch (error) {
      if (!signal.aborted) this.#failed(asAgentError(error));
    }
    return since === undefined ? 0 : clock.boot() - since;
  }

  async #open(signal: AbortSignal): Promise<Session> {
    const { config, clock, spMchid, secrets: read } = this.#parts;
    const deviceId = await this.#deviceId(signal);
    const { secrets, problems } = read();
    if (secrets === undefined) {
      const { renderProblem } = await import("../messages/problem-text.ts");
      const told = problems.map((problem) => renderProblem(problem, "en")).join("\n");
      throw new AgentError("TELEMETRY_BROKER.files", { problems: told });
    }
    const topics = topicsOf(config.topicPrefix, spMchid, deviceId);
    const { birth, will } = this.#presences.next(clock.wall());
    const connection = await connectBroker(
      {
        ...{ broker: config.broker, secrets, username: config.username, keepaliveS: config.keepaliveS },
        ...{ names: this.#names, clock },
        clientId: `facepay-${spMchid}-${topicLevel(deviceId)}`,
        will: { topic: topics.state, payload: will },
        onMessage: (topic, payload, retained) => {
          if (topic === topics.state) this.#seen(birth, payload);
          else this.#desk.take({ topic, target: topics.parseCommand(topic), payload, retained });
        },
        onSkipped: ({ topic }) => this.#desk.skipped(topic, topics.parseCommand(topic)),
      },
      signal,
    );
    return { connection, topics, deviceId, birth, will };
  }

  /** A bridge may take minutes to say who it is. */
  async #deviceId(signal: AbortSignal): Promise<string> {
    for (;;) {
      signal.throwIfAborted();
      const deviceId = this.#parts.deviceId();
      if (deviceId !== undefined) return deviceId;
      await this.#parts.clock.sleep(LOOK_MS, signal);
    }
  }

  /** The birth before the subscription: what stands on the topic then is either this birth or something to contradict. */
  async #greet({ connection, topics, birth }: Session): Promise<void> {
    this.#birthDue = false;
    await connection.publish(topics.state, birth, true);
    await connection.subscribe(topics.state);
    if (this.#parts.config.commands.length > 0) await connection.subscribe(topics.commands);
  }

  #seen(birth: string, payload: Buffer): void {
    if (!contradicts(birth, payload)) return;
    this.#birthDue = true;
    this.#wake();
  }

  /** Publishes one thing after the other until the connection is over, the signal falls or the device is another one. */
  async #report(session: Session, signal: AbortSignal): Promise<void> {
    const { connection, topics, birth, deviceId } = session;
    const { clock, config, health } = this.#parts;
    let told = "";
    let toldAt = Number.NEGATIVE_INFINITY;
    let heartbeatAt = clock.boot();
    let bornAt = clock.boot();
    while (!signal.aborted && this.#parts.deviceId() === deviceId) {
      connection.over.throwIfAborted();
      const now = clock.boot();
      if (this.#birthDue && now - bornAt >= BIRTH_EVERY_MS) {
        this.#birthDue = false;
        bornAt = now;
        await connection.publish(topics.state, birth, true);
        continue;
      }
      if (now >= heartbeatAt || now - toldAt >= LOOK_MS) {
        const report = health();
        const signature = healthSignature(report);
        if (now >= heartbeatAt || signature !== told) {
          told = signature;
          heartbeatAt = now + untilHeartbeat(deviceId, config.intervalS * 1_000, clock.wall());
          await connection.publish(topics.health, JSON.stringify(report), true);
        }
        toldAt = now;
        continue;
      }
      const answer = this.#desk.next();
      if (answer !== undefined) {
        await connection.publish(topics.command(answer.op, answer.id), answer.payload, true);
        this.#desk.sent(answer);
        continue;
      }
      const event = this.#events.next();
      if (event !== undefined) {
        await connection.publish(topics.event, event, false);
        this.#events.sent();
        continue;
      }
      const bornIn = this.#birthDue ? BIRTH_EVERY_MS - (now - bornAt) : LOOK_MS;
      await this.#nap(Math.min(LOOK_MS - (now - toldAt), heartbeatAt - now, bornIn), connection.over, signal);
    }
  }

  async #nap(ms: number, over: AbortSignal, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await this.#parts.clock.sleep(ms, AbortSignal.any([signal, over, woken.signal])).catch(() => undefined);
    this.#wake = () => {};
  }

  /** Who leaves of his own accord says that he is offline; the will is for those who cannot. */
  async #leave({ connection, topics, will }: Session): Promise<void> {
    if (connection.over.aborted) return;
    const gone = new AbortController();
    const late = this.#parts.clock.sleep(LEAVE_MS, gone.signal).catch(() => undefined);
    await Promise.race([connection.publish(topics.state, will, true).catch(() => undefined), late]);
    gone.abort();
    await connection.end();
  }

  /** An outage is told once for each cause (specification 9). */
  #failed(error: AgentError): void {
    if (!this.#names.waiting) this.#names.turn();
    this.#parts.onTrouble(error);
    if (this.#troubled === error.id) return;
    this.#troubled = error.id;
    this.#parts.log.warn("TELEMETRY_LOST", failureFields(error));
  }
}
