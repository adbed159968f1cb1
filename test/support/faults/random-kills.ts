import { readdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Rig, ServedAuthinfo, ServerSentEvent } from "../fixtures/running-agent.ts";

/**
 * Kills the agent of a rig again and again: while it starts, while it rests, around the instant at which a new authinfo
 * goes to the disk. This process keeps the ledger: whatever it was told to be persisted has to be there at the next start, from
 * the very first answer. Throws an Error for the first thing that is not; resolves to how many promises were made.
 * @param chance draws an integer below its argument
 */
export async function killAtRandom(rig: Rig, times: number, chance: (below: number) => number): Promise<number> {
  const boot = { env: { FACEPAY_BOOT_ID: "one" } };
  const ledger = new Ledger();
  ledger.note(await rig.serve(boot));
  for (let kill = 1; kill <= times; kill++) {
    const kind = kill % 4;
    const where = `kill ${kill}, ${["in the start", "anywhere", "around the answer", "at the announcement"][kind]}`;
    if (kind === 0) {
      await delay(chance(600));
      await rig.agent.crash();
    } else {
      await killInRefresh(rig, kind, ledger, chance);
    }
    rig.start(boot);
    const { status, body } = await rig.firstAnswer();
    if (status !== 200) throw new Error(`${where}: the first answer was ${status} ${body.code}`);
    ledger.check(where, body as unknown as ServedAuthinfo, rig.canaries.all("authinfo"));
  }
  const names = (await readdir(rig.stateDirectory)).filter((name) => name.startsWith("state"));
  const strange = names.filter((name) => !["state.sealed", "state.prev.sealed"].includes(name));
  if (strange.length > 0) throw new Error(`left behind: ${strange.join(" ")}`);
  return ledger.promises;
}

async function killInRefresh(rig: Rig, kind: number, ledger: Ledger, chance: (below: number) => number): Promise<void> {
  const reader = rig.events();
  const { events } = reader;
  await rig.until("the subscription", async () => events.length > 0);
  await rig.statusWhere("the other socket", () => true);
  const refreshed = rig.refresh().catch(() => undefined);
  const isNew = ({ data }: ServerSentEvent) => Number(data.generation) > ledger.highest;
  if (kind === 1) {
    await delay(chance(400));
  } else {
    // From here on it is a matter of milliseconds: request, answer, disk, announcement.
    const before = rig.bridge.count("getWxpayfaceRawdata");
    await rig.until("the refresh", async () => rig.bridge.count("getWxpayfaceRawdata") > before);
    if (kind === 2) await delay(chance(60));
    else await rig.until("the announcement", async () => events.some(isNew));
  }
  await rig.agent.crash();
  await refreshed;
  reader.close();
  for (const { event, data } of events) if (event === "authinfo") ledger.note(data as unknown as ServedAuthinfo);
}

/** What has been announced as persisted. */
class Ledger {
  highest = 0;
  promises = 0;
  #authinfo = "";

  note(told: ServedAuthinfo): void {
    if (!told.persisted || told.generation <= this.highest) return;
    this.highest = told.generation;
    this.#authinfo = told.authinfo;
    this.promises++;
  }

  check(where: string, served: ServedAuthinfo, issued: readonly string[]): void {
    const { generation, authinfo } = served;
    if (generation < this.highest) throw new Error(`${where}: generation ${generation}, promised ${this.highest}`);
    if (generation === this.highest && authinfo !== this.#authinfo) throw new Error(`${where}: another authinfo`);
    if (!issued.includes(authinfo)) throw new Error(`${where}: an authinfo that nobody has issued`);
    this.note(served);
  }
}
