import net from "node:net";
import { Duplex } from "node:stream";
import tls from "node:tls";
import type { MqttClient } from "mqtt";
import { type Clock, withDeadline } from "../common/clock.ts";
import { AgentError, errnoOf, isAgentError } from "../common/errors.ts";
import type { TelemetryConfig } from "../config/config.ts";
import type { TelemetrySecrets } from "../config/secrets/telemetry-secrets.ts";
import type { NameLookup } from "../wechatpay/transport/name-lookup.ts";
import { createTlsContext } from "../wechatpay/transport/tls-context.ts";
import { HostileBroker, PacketGuard, type SkippedPacket } from "./packet-guard.ts";

export interface ConnectOptions {
  readonly broker: TelemetryConfig["broker"];
  readonly secrets: TelemetrySecrets;
  readonly username?: string | undefined;
  readonly clientId: string;
  readonly keepaliveS: number;
  readonly will: { readonly topic: string; readonly payload: string };
  readonly names: NameLookup;
  readonly clock: Clock;
  readonly onMessage: (topic: string, payload: Buffer, retained: boolean) => void;
  readonly onSkipped: (packet: SkippedPacket) => void;
}

/** One connection to the broker. Nothing of it is ever repeated by itself. */
export interface BrokerConnection {
  /** QoS 1: resolves when the broker has acknowledged. Rejects with TELEMETRY_BROKER, the connection being over then. */
  publish(topic: string, payload: string, retain: boolean): Promise<void>;
  /** QoS 0. */
  subscribe(topic: string): Promise<void>;
  /** Falls when it has ended; the reason is the TELEMETRY_BROKER that says why. */
  readonly over: AbortSignal;
  /** Says goodbye, so that the broker does not publish the will. */
  end(): Promise<void>;
}

/** From the first lookup to the broker's acceptance, and for each acknowledgement. */
const PATIENCE_MS = 20_000;
const GOODBYE_MS = 500;

/** Connects to the operator's broker. Rejects with TELEMETRY_BROKER, or with the signal's reason. */
export async function connectBroker(options: ConnectOptions, signal: AbortSignal): Promise<BrokerConnection> {
  const { broker, secrets, clock, names } = options;
  const where = `${broker.host}:${broker.port}`;
  // A name server that does not answer holds one thread of Node's four; a second attempt must not take another.
  if (names.waiting) throw new AgentError("TELEMETRY_BROKER.unreachable", { broker: where, error: "DNS" });
  const Client = await loadLibrary();
  const socket = openSocket(options);
  const stream = guarded(socket, options);
  const over = new AbortController();
  const client = new Client(() => stream, {
    protocolVersion: 4,
    clientId: options.clientId,
    clean: true,
    keepalive: options.keepaliveS,
    // Our own pacing takes its place (telemetry.ts): the library's knows neither jitter nor a cap.
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    // The deadline is ours as well.
    connectTimeout: 2 * PATIENCE_MS,
    timerVariant: "native",
    will: { ...options.will, payload: Buffer.from(options.will.payload), qos: 1, retain: true },
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(secrets.password === undefined ? {} : { password: secrets.password }),
  });
  const fail = (error: AgentError) => {
    if (over.signal.aborted) return;
    over.abort(error);
    stream.destroy();
    client.end(true);
  };
  const closed = () => fail(new AgentError("TELEMETRY_BROKER.closed", { broker: where }));
  const late = () => new AgentError("TELEMETRY_BROKER.timeout", { broker: where, seconds: PATIENCE_MS / 1_000 });
  // The library keeps to itself what has no code.
  stream.on("error", (error) => fail(failureOf(error, where)));
  client.on("error", (error) => fail(failureOf(error, where)));
  client.on("close", closed);
  client.on("message", (topic, payload, packet) => options.onMessage(topic, payload, packet.retain));

  /** Settles as `work` does, unless the connection ends or the broker takes too long, which ends it as well. */
  const answered = async <T>(work: Promise<T>, within?: AbortSignal): Promise<T> => {
    try {
      const signal = within === undefined ? over.signal : AbortSignal.any([over.signal, within]);
      return await withDeadline(work, PATIENCE_MS, clock, late, signal);
    } catch (error) {
      if (within?.aborted) closed();
      else fail(isAgentError(error) ? error : failureOf(error, where));
      throw over.signal.reason;
    }
  };
  const accepted = Promise.withResolvers<void>();
  client.on("connect", () => accepted.resolve());
  await answered(accepted.promise, signal);
  return {
    over: over.signal,
    async publish(topic, payload, retain) {
      await answered(client.publishAsync(topic, payload, { qos: 1, retain }));
    },
    async subscribe(topic) {
      const granted = await answered(client.subscribeAsync(topic, { qos: 0 }));
      if (granted.every(({ qos }) => qos === 0)) return;
      fail(new AgentError("TELEMETRY_BROKER.not_granted", { broker: where, topic }));
      throw over.signal.reason;
    },
    async end() {
      await withDeadline(client.endAsync(), GOODBYE_MS, clock, late).catch(() => undefined);
      closed();
    },
  };
}

/** Not the package's main file, which brings WebSockets and SOCKS along. Node gives a CommonJS module, a test runner its default. */
async function loadLibrary(): Promise<typeof MqttClient> {
  const { default: loaded } = await import("mqtt/lib/client");
  return "default" in loaded ? loaded.default : loaded;
}

function openSocket({ broker: { tls: secure, host, port }, secrets, names }: ConnectOptions): net.Socket {
  const place = {
    ...{ host, port, lookup: names.lookup },
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: names.addressTimeoutMs,
  };
  if (!secure) return net.connect({ ...place, noDelay: true });
  return tls.connect({
    ...place,
    // Node's own roots and the one of the configuration; what the environment adds does not count (specification 1).
    secureContext: createTlsContext(secrets),
    rejectUnauthorized: true,
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
  });
}

/** The socket as the library sees it: what the guard lets through, and no more than what it asks for. */
function guarded(socket: net.Socket, { clock, onSkipped }: ConnectOptions): Duplex {
  const guard = new PacketGuard(onSkipped);
  const stream = new Duplex({
    read: () => void socket.resume(),
    write: (chunk, _encoding, done) => void socket.write(chunk, done),
    final: (done) => void socket.end(done),
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on("data", (chunk: Buffer) => {
    try {
      for (const part of guard.take(chunk, clock.boot())) if (!stream.push(part)) socket.pause();
    } catch (error) {
      stream.destroy(error as Error);
    }
  });
  socket.on("end", () => stream.push(null));
  socket.on("error", (error) => stream.destroy(error));
  socket.on("close", () => stream.destroy());
  return stream;
}

function failureOf(error: unknown, broker: string): AgentError {
  const { code } = error as { code?: unknown };
  if (typeof code === "number") return new AgentError("TELEMETRY_BROKER.refused", { broker, returnCode: code });
  if (error instanceof HostileBroker)
    return new AgentError("TELEMETRY_BROKER.hostile", { broker, reason: error.reason });
  const text = errnoOf(error);
  const ofTls =
    typeof code === "string" && /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|EPROTO)/.test(code);
  if (ofTls) return new AgentError("TELEMETRY_BROKER.tls", { broker, error: text });
  if (typeof code === "string") return new AgentError("TELEMETRY_BROKER.unreachable", { broker, error: text });
  return new AgentError("TELEMETRY_BROKER.hostile", { broker, reason: "protocol" });
}
