import { writeSync } from "node:fs";
import { silentLog } from "../../../agent/common/log/log.ts";
import { openStore } from "../../../agent/store/store.ts";
import { parts, stateOf } from "../fixtures/store-fixture.ts";

/**
 * A process whose system calls are tampered with: `store-step-child.ts DIRECTORY WRITES`. It waits for a line on standard input,
 * so that nothing but the store's own calls is left to come, then opens the store, writes so many generations and says each
 * one before ("try N") and after ("kept N" or "refused N").
 */
const [directory = "", writes = "2"] = process.argv.slice(2);
writeSync(1, "ready\n");
await new Promise((resolve) => process.stdin.once("data", resolve));
const store = await openStore({ directory, ...parts, log: silentLog });
writeSync(
  1,
  `found ${store.state.generation} ${store.status().loaded} ${store.status().dirty ? "dirty" : "durable"}\n`,
);
const first = store.state.generation + 1;
for (let n = first; n < first + Number(writes); n++) {
  writeSync(1, `try ${n}\n`);
  const outcome = await store.write(stateOf(n)).then(
    () => "kept",
    () => "refused",
  );
  writeSync(1, `${outcome} ${n}\n`);
}
await store.close();
writeSync(1, "done\n");
process.stdin.destroy();
