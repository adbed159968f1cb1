import { setTimeout as delay } from "node:timers/promises";
import { MqttBroker } from "../../test/support/fakes/mqtt-broker.ts";
import { privateMb, residentMb } from "./processes.ts";
import { median } from "./statistics.ts";
import type { Row } from "./table.ts";
import { Terminal } from "./terminal.ts";

const ROUNDS = 5;
const SETTLE_MS = 10_000;
/** Specification 10. */
const MOST_MB = 12;

/**
 * What reports to a broker cost in memory, beside the same agent without them. Judged by what is the process's own; what is resident
 * counts pages of the Node binary, too, which the kernel may drop.
 */
export async function telemetryRows(launcher: string): Promise<Row[]> {
  await using broker = await MqttBroker.start();
  await using without = await Terminal.open(launcher);
  await using reporting = await Terminal.open(launcher, { telemetry: { broker: `mqtt://127.0.0.1:${broker.port}` } });
  const added: number[] = [];
  const resident: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = broker.connections;
    const agents = await Promise.all([without.serve(), reporting.serve()]);
    while (broker.connections === before) await delay(20);
    await delay(SETTLE_MS);
    const more = (read: (pid: number) => number) => {
      const [least = 0, ours = 0] = agents.map(({ pid = 0 }) => read(pid));
      return ours - least;
    };
    added.push(more(privateMb));
    resident.push(more(residentMb));
    await Promise.all([without.stopAgent(), reporting.stopAgent()]);
  }
  const result = `${median(added).toFixed(1)} MB (at most ${Math.max(...added).toFixed(1)}, ${ROUNDS} rounds), resident ${median(resident).toFixed(1)} MB`;
  const what = "private memory that telemetry adds";
  return [{ what, ours: "", against: "", result, limit: `<= ${MOST_MB} MB`, reached: median(added) <= MOST_MB }];
}
