import path from "node:path";
import type { UsbDevice } from "../../drivers/line/serial-lookup.ts";
import type { Bilingual } from "../common/language.ts";
import { type Answer, type AskBridge, type Candidate, kindOf } from "./bridges.ts";
import { findBridge } from "./find-bridge.ts";
import type { Wrong } from "./flags.ts";
import { readKeyFile, serialBeside } from "./key-files.ts";
import { type Inspect, type Note, promptLoop, type Suggest, settle, withoutAsking } from "./prompt-loop.ts";
import type { Technician } from "./prompter.ts";
import { type Answers, deviceIdQuestion, unasked } from "./questions.ts";

export interface Parts {
  /** The configuration file that is to be. */
  readonly target: string;
  readonly ask: AskBridge;
  /** Every serial adapter that is plugged in. */
  adapters(): Promise<readonly UsbDevice[]>;
  tell(text: Bilingual): void;
  readonly note?: Note;
  /** Undefined: the command is not interactive. */
  readonly technician?: Technician | undefined;
}

export type CollectedAnswers =
  | { readonly ok: true; readonly answers: Answers }
  /** All there are, never empty. */
  | { readonly ok: false; readonly problems: readonly Wrong[] };

/** Identity, credentials and the line to the bridge, from what is there, from flags, and from the prompter. */
export async function collectAnswers(present: Answers, given: Answers, parts: Parts): Promise<CollectedAnswers> {
  const home = path.dirname(parts.target);
  const inspect: Inspect = async (question, value) => {
    if (question.file === undefined) return undefined;
    const read = await readKeyFile(path.resolve(home, String(value)));
    return read.ok ? undefined : read.what;
  };
  const suggest: Suggest = async (key, answers) => {
    const keyFile = answers.get("wechatpay.merchant_private_key_file");
    if (key !== "wechatpay.merchant_serial_no" || typeof keyFile !== "string") return undefined;
    return await serialBeside(path.resolve(home, keyFile));
  };
  const { technician } = parts;
  const asked =
    technician === undefined
      ? await withoutAsking(present, given, inspect, suggest)
      : { answers: await promptLoop(present, given, technician, inspect, suggest, parts.note), problems: [] };
  const { answers } = asked;
  const left = unasked(answers);
  if (technician !== undefined && left.zh !== "") parts.tell(left);
  const problems: Wrong[] = [...asked.problems];
  if (given.get("driver.type") === "simulator" || given.has("driver.vendor_id")) {
    return problems.length > 0 ? { ok: false, problems } : { ok: true, answers };
  }
  const known = knownLine(present, home);
  const line = await findBridge(await lineNamed(known, given), {
    ...(known === undefined ? {} : { known }),
    ask: parts.ask,
    adapters: () => parts.adapters(),
    tell: (text) => parts.tell(text),
    ...(technician === undefined ? {} : { choose: (found: readonly Answer[]) => choose(found, technician) }),
  });
  if (line === undefined) {
    const what = { zh: "没有找到刷脸模组，或不止一个", en: "no bridge was found, or more than one" };
    return { ok: false, problems: [...problems, { key: "driver.path", what }] };
  }
  for (const [key, value] of line.driver) answers.set(key, value);
  const needed = line.answered && line.deviceId === undefined && !answers.has("identity.device_id_file");
  if (needed) {
    const question = { ...deviceIdQuestion(answers), optional: false };
    const value = technician
      ? await settle(question, given.get(question.key), technician, inspect)
      : answers.get(question.key);
    if (value !== undefined) answers.set(question.key, value);
    else
      problems.push({
        key: question.key,
        what: { zh: "缺少：刷脸模组没有报告设备SN", en: "is missing: the bridge names none" },
      });
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, answers };
}

/** The line of the configuration that is there already. */
function knownLine(present: Answers, home: string): Candidate | undefined {
  const known = present.get("driver.path");
  if (typeof known !== "string") return undefined;
  return { type: present.get("driver.type") === "socket" ? "socket" : "serial", path: path.resolve(home, known) };
}

/** A flag's line is used as it is; the present configuration's, while its device is there. */
async function lineNamed(known: Candidate | undefined, given: Answers): Promise<Candidate | undefined> {
  const flag = given.get("driver.path");
  if (typeof flag === "string") {
    const said = given.get("driver.type") === "socket" ? "socket" : "serial";
    return { type: (await kindOf(flag)) ?? said, path: flag };
  }
  return known !== undefined && (await kindOf(known.path)) !== undefined ? known : undefined;
}

async function choose(found: readonly Answer[], technician: Technician): Promise<string> {
  const text =
    found.length === 0
      ? {
          zh: "没有找到刷脸模组。请接好后输入其路径（/dev/... 或套接字）",
          en: "no bridge was found. Connect it and type its path (/dev/... or a socket)",
        }
      : { zh: "请选择刷脸模组的编号，或输入路径", en: "choose a bridge by its number, or type a path" };
  const list = found.map(({ candidate }, index) => `  ${index + 1}  ${candidate.path}\n`).join("");
  return await technician.line(`${list}${technician.say(text)}: `);
}
