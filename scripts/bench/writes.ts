import { watch } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Row } from "./table.ts";
import { Terminal } from "./terminal.ts";

/** The shortest life there is: a refresh every 2.5 s. */
const REFRESH = { lifetime_s: 5 };
const WATCHED_MS = 20_000;
const STATE = "state.sealed";

/**
 * Durable writes, counted from outside: each one puts a new file in the place of state.sealed, which inotify tells. Then the
 * same through an outage that outlasts the authinfo.
 */
export async function writeRows(launcher: string): Promise<Row[]> {
  await using terminal = await Terminal.open(launcher, { refresh: REFRESH });
  await terminal.serve();
  const refreshed = async () => Number(await terminal.peers({ do: "count" }));
  const writes = new WriteCount(path.join(terminal.directory, "state"));
  try {
    const before = { refreshes: await refreshed(), writes: writes.count };
    await delay(WATCHED_MS);
    const refreshes = (await refreshed()) - before.refreshes;
    const perRefresh = (writes.count - before.writes) / refreshes;
    await terminal.peers({ do: "vanish" });
    // What was under way when the network went.
    await delay(1_000);
    const atOutage = writes.count;
    await delay(WATCHED_MS);
    const inOutage = writes.count - atOutage;
    return [
      counted("durable writes for one refresh", perRefresh.toFixed(2), `${refreshes} refreshes`, "1", perRefresh === 1),
      counted("durable writes in an outage", String(inOutage), `${WATCHED_MS / 1000} s`, "0", inOutage === 0),
    ];
  } finally {
    writes.close();
  }
}

function counted(what: string, ours: string, over: string, limit: string, reached: boolean): Row {
  return { what, ours, against: "", result: `${ours} (${over})`, limit, reached };
}

class WriteCount {
  readonly #watcher;
  count = 0;

  constructor(directory: string) {
    // A rename onto the name is one event "rename" of that name.
    this.#watcher = watch(directory, (event, name) => {
      if (event === "rename" && name === STATE) this.count++;
    });
  }

  close(): void {
    this.#watcher.close();
  }
}
