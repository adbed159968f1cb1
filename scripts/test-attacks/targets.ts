import { systemCode } from "../../agent/common/errors.ts";
import { ask } from "../../test/support/fixtures/api-fixture.ts";
import { ECHO, GatewayRig } from "../../test/support/fixtures/gateway-rig.ts";
import { openRig } from "../../test/support/fixtures/running-agent.ts";
import { residentMb } from "../bench/processes.ts";
import { startSlowPath } from "./slow-path.ts";

export interface Tries {
  readonly asked: number;
  readonly served: number;
  readonly slowestMs: number;
}

/** A program under attack, and those it is there for. */
export interface Target extends AsyncDisposable {
  /** Unix socket or port. */
  readonly place: string;
  residentMb(): number;
  /** So many of those who are to be served try, one after the other or together. */
  probe(count: number): Promise<Tries>;
  /** What the program itself tells of the attack. */
  told(): Promise<string>;
}

const READ_WITHIN_MS = 2_000;
const READS_APART_MS = 20;
const AGAIN_MS = 10;
/** As the agent's own connect and attempt time-outs. */
const TERMINAL_WITHIN_MS = 10_000;
const LATENCY_MS = 300;

async function timed(work: () => Promise<number>, withinMs: number): Promise<{ served: boolean; ms: number }> {
  const began = performance.now();
  const late = new Promise<number>((resolve) => setTimeout(() => resolve(0), withinMs).unref());
  const status = await Promise.race([work().catch(() => 0), late]);
  return { served: status === 200, ms: performance.now() - began };
}

function sum(tries: readonly { served: boolean; ms: number }[]): Tries {
  const served = tries.filter((one) => one.served).length;
  return { asked: tries.length, served, slowestMs: Math.max(...tries.map(({ ms }) => ms)) };
}

const samples = (text: string, name: string) =>
  [...text.matchAll(new RegExp(`^${name}\\{reason="(\\w+)"\\} ([1-9]\\d*)$`, "gm"))]
    .map(([, reason, count]) => `${reason} ${count}`)
    .join(", ");

/** As the client libraries (docs/specification.md section 13): a full queue of connections is tried again, which connect(2) does by itself when it may block. */
async function read(socket: string, until: number): Promise<number> {
  for (;;) {
    try {
      return (await ask(socket, "GET", "/v1/authinfo")).status;
    } catch (error) {
      if (systemCode(error) !== "EAGAIN" || performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

/** The agent; a cashier app reads every 20 ms, on a connection of its own each time. */
export async function openAgent(): Promise<Target> {
  const rig = await openRig({ line: "socket" });
  await rig.serve();
  return {
    place: rig.apiSocket,
    residentMb: () => residentMb(rig.agent.pid),
    async probe(count) {
      const tries: { served: boolean; ms: number }[] = [];
      for (let i = 0; i < count; i++) {
        tries.push(await timed(() => read(rig.apiSocket, performance.now() + READ_WITHIN_MS), READ_WITHIN_MS));
        await new Promise((resolve) => setTimeout(resolve, READS_APART_MS));
      }
      return sum(tries);
    },
    async told() {
      const { text } = await ask(rig.adminSocket, "GET", "/metrics");
      const lines = rig.agent.stderr.split("\n").filter((line) => line.includes("API_REFUSED")).length;
      return `denied: ${samples(text, "facepay_api_denied_total")}; log lines: ${lines}`;
    },
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  };
}

/** The gateway; terminals with a certificate and 300 ms each way to it, a new connection each time, ten together. */
export async function openGateway(): Promise<Target> {
  const rig = await GatewayRig.create();
  await rig.start({ limits: { requests_per_hour: "3600000", burst: "100000" } });
  const path = await startSlowPath(rig.port, LATENCY_MS);
  const echo = () => rig.ask({ path: ECHO, body: '{"echo_message":"x"}', port: path.port });
  return {
    place: String(rig.port),
    residentMb: () => residentMb(rig.process.pid),
    probe: async (count) =>
      sum(
        await Promise.all(
          Array.from({ length: count }, () => timed(async () => (await echo()).status, TERMINAL_WITHIN_MS)),
        ),
      ),
    async told() {
      const { text } = await rig.health("/metrics");
      const lines = rig.process.stderr
        .split("\n")
        .filter((line) => line.includes("GATEWAY_CONNECTIONS_REFUSED")).length;
      const requests = [...text.matchAll(/^facepay_gateway_requests_total\{path="other",outcome="(\w+)"\} (\d+)$/gm)];
      const refused = requests.map(([, outcome, count]) => `${outcome} ${count}`).join(", ");
      return `cut: ${samples(text, "facepay_gateway_refused_connections_total")}; refused: ${refused}; log lines: ${lines}`;
    },
    async [Symbol.asyncDispose]() {
      path.close();
      await rig[Symbol.asyncDispose]();
    },
  };
}
