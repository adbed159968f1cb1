import { writeSync } from "node:fs";
import { silentLog } from "../../../agent/common/log/log.ts";
import { openStore } from "../../../agent/store/store.ts";
import { parts, stateOf } from "../fixtures/store-fixture.ts";

/**
 * A process to be killed: `store-writer-child.ts DIRECTORY`. First it says what it found ("found GENERATION AUTHINFO"), then it
 * writes one generation after the other and says each ("kept GENERATION") once the store has called it durable.
 */
const directory = process.argv[2] ?? "";
const store = await openStore({ directory, ...parts, log: silentLog });
writeSync(1, `found ${store.state.generation} ${store.status().loaded}\n`);
for (let n = store.state.generation + 1; ; n++) {
  await store.write(stateOf(n));
  writeSync(1, `kept ${n}\n`);
}
