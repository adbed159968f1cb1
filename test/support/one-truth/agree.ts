import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StatusDocument } from "../../../agent/api/status-document.ts";
import { asTold } from "../../../agent/cli/refresh.ts";
import { statusRows } from "../../../agent/cli/status/status-view-model.ts";
import type { ErrorCode } from "../../../agent/common/errors.ts";
import { failureRules } from "../../../agent/common/failures.ts";
import { failureText } from "../../../agent/messages/failure-text.ts";
import { failureIn, remedyOf } from "../../../agent/messages/remedies/remedies.ts";
import { textIn, textOf } from "../../../agent/messages/text-of.ts";
import type { RigOptions } from "../fixtures/running-agent.ts";
import { FaultyTerminal } from "./faulty-terminal.ts";

/** One cause, and how the terminal is to name it wherever it is asked. */
export interface TableFault<Made> {
  readonly name: string;
  readonly made: Made;
  readonly code: ErrorCode;
  /** Part of the remedy's English text. */
  readonly remedy?: RegExp;
  /** Nobody but a running agent meets it: it shows in the request for an authinfo alone. */
  readonly unseenDead?: true;
}

/** What a failure of these tables can show in: of the machine around the terminal other tests tell. */
const CHECKS = [
  ...["cfg.valid", "key.file", "key.match", "ser.present", "ser.unique", "ser.perm", "ser.busy", "ser.handshake"],
  ...["ser.protocol", "ser.crc", "ser.device_data", "net.link", "net.dns", "net.dns_sane", "net.ipv6", "net.proxy"],
  ...["net.captive", "net.tls", "pay.reach", "time.offset", "pay.auth", "pay.authinfo", "cfg.identity"],
];

/** The running agent, the status and refresh of a technician, the journal, and diagnose with the agent running and dead. */
async function agree(terminal: FaultyTerminal, { code, remedy, unseenDead }: TableFault<unknown>): Promise<void> {
  const { remedy: named } = failureRules[code];
  const { status, cause } = await terminal.refresh();
  const document = (await terminal.rig.status()) as unknown as StatusDocument;
  const { last_error: last, wechatpay } = document;
  expect({ status, code: last?.code, check: last?.remedy }).toEqual({ status: 502, code, check: named });
  if (!last) return;
  const told = remedyOf(failureIn(last, wechatpay));
  if (told === undefined) throw new Error(`${code} has no remedy`);
  if (remedy) expect(told.en).toMatch(remedy);
  const refreshed = asTold(cause ?? undefined, last);
  expect(refreshed && { code: refreshed.code, remedy: remedyOf(failureIn(refreshed, wechatpay)) }).toEqual({
    code,
    remedy: told,
  });
  const rows = statusRows(document, undefined, terminal.agent.clock.wall(), undefined);
  expect(rows.map(({ value }) => value)).toContainEqual(told);
  const texts = failureText(last);
  for (const language of ["zh", "en"] as const) {
    expect(rows.some(({ value }) => textIn(value, language) === `${code} ${texts[language]}`)).toBe(true);
  }
  const logged = terminal.agent.log.filter((entry) => entry.code === "REFRESH_FAILED").at(-1);
  expect(logged).toMatchObject({ cause: code, remedy: named });
  // What the vendor's library lacks shows in what it gives.
  const check = named.startsWith("sdk.") ? "ser.device_data" : named;
  for (const agent of unseenDead ? (["running"] as const) : (["running", "dead"] as const)) {
    const { first, of } = await terminal.diagnose(agent, CHECKS);
    // While the one that is held is good, a renewal that fails is no failure yet.
    const expected = check === "pay.authinfo" ? "none" : `${check} fail`;
    const { zh, en } = textOf(of(check).remedy);
    expect({ agent, first, zh, en }).toEqual({ agent, first: expected, zh: told.zh, en: told.en });
  }
}

/** A test for each cause of a table: made for real on one terminal, named alike by everybody, and gone once it is mended. */
export function inTable<Made>(
  what: string,
  table: readonly TableFault<Made>[],
  make: (terminal: FaultyTerminal, made: Made) => unknown,
  options: RigOptions = {},
): void {
  describe(`one code and one remedy in status, refresh, journal and diagnose: ${what}`, () => {
    let terminal: FaultyTerminal;
    beforeAll(async () => {
      terminal = await FaultyTerminal.open(options);
    });
    afterAll(async () => {
      await terminal[Symbol.asyncDispose]();
    });
    it.each(table)("$name", async (fault) => {
      const made = await make(terminal, fault.made);
      try {
        await agree(terminal, fault);
      } finally {
        await undo(made);
        await terminal.heal();
      }
    });
  });
}

async function undo(made: unknown): Promise<void> {
  if (typeof made === "object" && made !== null && Symbol.asyncDispose in made)
    await (made as AsyncDisposable)[Symbol.asyncDispose]();
}
