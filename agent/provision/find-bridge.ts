import type { UsbDevice } from "../../drivers/line/serial-lookup.ts";
import type { Bilingual } from "../common/language.ts";
import { remedyFor } from "../messages/remedies/remedies.ts";
import { type Answer, type AskBridge, askAll, type Candidate, candidates, kindOf } from "./bridges.ts";
import type { TomlValue } from "./edit-toml.ts";

/** What the driver section becomes, and what the bridge says of its device. */
export interface Line {
  readonly driver: ReadonlyMap<string, TomlValue>;
  /** Asked of the bridge; absent when none answered or it does not know. */
  readonly deviceId?: string;
  readonly answered: boolean;
}

export interface Searcher {
  readonly ask: AskBridge;
  /** Every serial adapter that is plugged in. */
  adapters(): Promise<readonly UsbDevice[]>;
  tell(text: Bilingual): void;
  /** The line that was in use so far, should nothing be found. */
  readonly known?: Candidate;
  /** One of several bridges by its number from 1, or a path; undefined: the command is not interactive. */
  readonly choose?: (found: readonly Answer[]) => Promise<string>;
}

/**
 * The line to use: the one that is named (a flag, or a configuration that is there already) when it answers or when nothing else does;
 * else the one bridge that is found; else what the technician chooses. Undefined: there is none.
 */
export async function findBridge(
  named: Candidate | undefined,
  searcher: Searcher,
  root = "/",
): Promise<Line | undefined> {
  if (named !== undefined) {
    const [answer] = await askAll([named], searcher.ask);
    if (answer !== undefined) searcher.tell(isOurs(answer, searcher.known) ? inUse(answer) : words(answer));
    return lineOf(named, answer);
  }
  const found = await candidates(await searcher.adapters(), root);
  searcher.tell({
    zh: `正在查找刷脸模组：${found.length} 个可能的接口`,
    en: `looking for the bridge: ${found.length} possible lines`,
  });
  const answers = await askAll(found, searcher.ask);
  for (const answer of answers) searcher.tell(words(answer));
  const bridges = answers.filter((answer) => "bridge" in answer);
  const [only] = bridges;
  if (only !== undefined && bridges.length === 1) return lineOf(only.candidate, only);
  if (searcher.choose === undefined) return searcher.known && lineOf(searcher.known, undefined);
  for (;;) {
    const chosen = (await searcher.choose(bridges)).trim();
    if (chosen === "" && searcher.known !== undefined) return lineOf(searcher.known, undefined);
    const numbered = bridges[Number(chosen) - 1];
    if (numbered !== undefined) return lineOf(numbered.candidate, numbered);
    if (chosen.startsWith("/")) {
      return await findBridge({ type: (await kindOf(chosen)) ?? "serial", path: chosen }, searcher, root);
    }
    searcher.tell({
      zh: "请输入列表中的编号，或以 / 开头的路径",
      en: "type a number of the list, or a path that begins with /",
    });
  }
}

function lineOf({ type, path }: Candidate, answer: Answer | undefined): Line {
  const driver = new Map<string, TomlValue>([
    ["driver.type", type],
    ["driver.path", path],
  ]);
  if (answer === undefined || !("bridge" in answer)) return { driver, answered: false };
  return { driver, answered: true, ...(answer.deviceId === undefined ? {} : { deviceId: answer.deviceId }) };
}

/** The line of the configuration that is there: the agent which works with it holds the port, and the trial asks that one. */
function isOurs(answer: Answer, known: Candidate | undefined): boolean {
  return "code" in answer && answer.code === "BRIDGE_BUSY" && answer.candidate.path === known?.path;
}

function inUse({ candidate: { path } }: Answer): Bilingual {
  return {
    zh: `  ${path}：正在使用中（通常是运行中的服务），沿用这条线路`,
    en: `  ${path}: in use, as a rule by the running agent; the line is kept`,
  };
}

function words(answer: Answer): Bilingual {
  const { path } = answer.candidate;
  if (!("bridge" in answer)) {
    const { zh, en } = remedyFor(answer.code) ?? { zh: "", en: "" };
    return { zh: `  ${path}：${answer.code} ${zh}`.trimEnd(), en: `  ${path}: ${answer.code} ${en}`.trimEnd() };
  }
  const device = answer.deviceId === undefined ? { zh: "未报告", en: "not reported" } : same(answer.deviceId);
  return {
    zh: `  ${path}：找到刷脸模组 ${answer.bridge}，设备SN ${device.zh}`,
    en: `  ${path}: bridge ${answer.bridge}, device id ${device.en}`,
  };
}

function same(text: string): Bilingual {
  return { zh: text, en: text };
}
