import { randomInt } from "node:crypto";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { silentLog } from "../../../agent/common/log/log.ts";
import { openStore } from "../../../agent/store/store.ts";
import { startChild } from "../../support/children/child.ts";
import { namesIn, parts, stateOf, temporaryDirectory } from "../../support/fixtures/store-fixture.ts";

const KILLS = 50;

it(`loses nothing it has acknowledged in ${KILLS} kills at random instants`, async () => {
  await using temporary = await temporaryDirectory();
  const { directory } = temporary;
  let acknowledged = 0;
  for (let kill = 1; kill <= KILLS; kill++) {
    await using child = startChild("store-writer-child.ts", [directory]);
    const found = /^found (\d+) (\w+)$/.exec(await child.line());
    expect(Number(found?.[1]), `kill ${kill}`).toBeGreaterThanOrEqual(acknowledged);
    expect(found?.[2]).toBe(kill === 1 ? "empty" : "current");
    await child.line();
    await delay(randomInt(40));
    child.process.kill("SIGKILL");
    await once(child.process, "close");
    const last = child.output().trimEnd().split("\n").at(-1);
    acknowledged = Number(/^kept (\d+)$/.exec(last ?? "")?.[1]);
    expect(acknowledged, child.output()).toBeGreaterThan(0);
  }
  const store = await openStore({ directory, ...parts, log: silentLog });
  expect(store.state).toEqual(stateOf(store.state.generation));
  expect(store.state.generation - acknowledged).toBeOneOf([0, 1]);
  expect(await namesIn(directory)).toEqual(["state.prev.sealed", "state.sealed", "store.key"]);
  await store.close();
});
