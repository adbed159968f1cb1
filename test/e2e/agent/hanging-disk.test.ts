import { afterAll, expect, it } from "vitest";
import { noStrace, tamper } from "../../support/faults/tampered.ts";
import { openRig, removeFactory } from "../../support/fixtures/running-agent.ts";

afterAll(removeFactory);

it("a disk that hangs holds up neither the new authinfo nor any answer, and has it when it moves again", async ({
  skip,
}) => {
  const why = noStrace();
  if (why !== undefined) return skip(why);
  await using rig = await openRig();
  await rig.serve();
  const { events } = rig.events();
  await rig.until("the subscription", async () => events.length > 0);
  // Every fsync of the agent takes a minute from now on.
  const disk = await tamper(rig.agent.pid, "fsync:delay_enter=60000000").catch((error: unknown) => String(error));
  if (typeof disk === "string") return skip(disk);
  try {
    const refreshed = rig.refresh();
    // Specification 6: it is waited for two seconds, not a minute.
    const served = await rig.served(({ generation }) => generation === 2);
    expect(served).toMatchObject({ state: "fresh", persisted: false });
    expect((await refreshed).status).toBeLessThan(300);
    const { store } = await rig.status();
    expect(store).toMatchObject({ dirty: true });
    expect(await rig.metric("facepay_store_writes_total")).not.toHaveProperty('outcome="ok"', 2);
    expect((await rig.ask("api", "GET", "/readyz")).status).toBe(200);
    expect(events.at(-1)?.data).toMatchObject({ generation: 2, persisted: false });
  } finally {
    await disk.end();
  }
  await rig.served(({ generation, persisted }) => generation === 2 && persisted);
  await rig.until("the event that tells so", async () => events.at(-1)?.data.persisted === true);
});
