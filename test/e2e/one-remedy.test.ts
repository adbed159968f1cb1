import { afterAll, describe, expect, it } from "vitest";
import type { AnswerFault } from "../../agent/simulator/answer-faults.ts";
import { AgentProcess } from "../support/fixtures/agent-process.ts";
import { openRig, type Rig, type RigOptions, removeFactory } from "../support/fixtures/running-agent.ts";

afterAll(removeFactory);

const gateway = { mode: "gateway" } as const;

/** What a technician sees, on one line. */
async function seen(rig: Rig, ...args: readonly string[]): Promise<string> {
  await using technician = new AgentProcess([...args, "--config", rig.configFile], { env: { LANG: "en_US.UTF-8" } });
  await technician.exited;
  const text = technician.stdout + technician.stderr;
  rig.saw(args.join(" "), text);
  return text.replaceAll(/\s+/g, " ");
}

interface Story {
  readonly fault: string;
  readonly options?: RigOptions;
  readonly answer?: AnswerFault;
  readonly make?: (rig: Rig) => Promise<unknown>;
  readonly code: string;
  /** The check that fails of it, and the id that the log and the status name. */
  readonly check: string;
  readonly remedy: string;
}

const says = (status: number, code: string, message: string): AnswerFault => ({
  status,
  body: JSON.stringify({ code, message }),
});

const stories: readonly Story[] = [
  {
    fault: "a wrong path at a gateway",
    options: gateway,
    make: async (rig) => {
      const { port } = new URL(`https://127.0.0.1:${rig.pay.port}`);
      await rig.configure({ wechatpay: { base_urls: [`https://127.0.0.1:${port}/wrong`] } });
      rig.agent.kill("SIGHUP");
      await rig.statusWhere("the new path", ({ wechatpay }) => JSON.stringify(wechatpay).includes("/wrong"));
    },
    code: "PAY_NOT_FOUND",
    check: "pay.auth",
    remedy: "There is no payment interface at this address: check the path in base_urls: https://127.0.0.1:PORT/wrong.",
  },
  {
    fault: "a certificate that has expired, as our gateway says it",
    options: gateway,
    answer: says(
      401,
      "GATEWAY_CERTIFICATE_EXPIRED",
      "终端证书不在有效期内 / the certificate is not valid at this time",
    ),
    code: "PAY_UNAUTHORIZED",
    check: "pay.auth",
    remedy: "The client certificate is not accepted; request a new one.",
  },
  {
    fault: "a token that a gateway does not know",
    options: gateway,
    answer: says(401, "BEARER_TOKEN", "the bearer token is missing or wrong"),
    code: "PAY_UNAUTHORIZED",
    check: "pay.auth",
    remedy: "The gateway does not know this terminal: have headquarters deploy a new token or client certificate.",
  },
  {
    fault: "a relation that does not exist",
    answer: says(403, "NO_AUTH", "受理关系不存在"),
    code: "PAY_FORBIDDEN",
    check: "pay.auth",
    remedy: "sub_mchid is no sub-merchant of sp_mchid: have headquarters check the relation.",
  },
  {
    fault: "an answer nobody signed",
    options: gateway,
    answer: { signature: "none" },
    code: "PAY_UNSIGNED",
    check: "pay.auth",
    remedy: "A gateway or proxy drops the Wechatpay-* headers: have it forward headers and body unchanged.",
  },
  {
    fault: "too many requests",
    answer: { status: 429 },
    code: "PAY_RATE_LIMITED",
    check: "pay.reach",
    remedy: "The payment service is busy: wait, retries go on. If it lasts, call support.",
  },
];

describe.concurrent("a fault has the same remedy in refresh, status and diagnose, and its check in the log:", () => {
  it.each(stories)("$fault", async ({ options = {}, answer, make, code, check, remedy }) => {
    await using rig = await openRig(options);
    await rig.serve();
    if (answer !== undefined) rig.pay.faults.always = answer;
    await make?.(rig);
    const wanted = remedy.replaceAll("PORT", String(rig.pay.port));
    const refreshed = await seen(rig, "refresh", "--lang", "en");
    expect(refreshed).toContain(`not obtained: ${code} `);
    expect(refreshed).toContain(`what to do: ${wanted}`);
    const { last_error: last } = await rig.statusWhere("the fault", ({ last_error }) => last_error?.code === code);
    expect(last?.remedy).toBe(check);
    expect(await seen(rig, "status", "--lang", "en")).toContain(wanted);
    const report = JSON.parse(await seen(rig, "diagnose", "--skip", "os.supported", "--json")) as {
      checks: readonly { id: string; status: string; remedy: { en: string } | null }[];
    };
    const found = report.checks.find(({ id }) => id === check);
    expect(found).toMatchObject({ status: "fail", remedy: { en: wanted } });
    expect(report.checks.find(({ id }) => id === "pay.authinfo")?.remedy?.en).toBe(wanted);
    const logged = rig.agent.stderr.split("\n").filter((line) => line.includes('"REFRESH_FAILED"'));
    expect(logged.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ cause: code, remedy: check }),
    );
  });
});
