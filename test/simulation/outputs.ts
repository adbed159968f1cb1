import type { Try } from "./network.ts";
import type { Observer } from "./observer.ts";
import type { AnswerTrouble } from "./pay.ts";
import type { World } from "./world.ts";

/** Eight characters of a secret in a row, wherever they begin (chance.ts). */
const SECRET = /Qz..Qz|z..Qz..Q/;

/** Nothing that is written for people or machines tells a secret. */
export function judgeSecrets(world: World, observer: Observer): (line: string) => void {
  const judge = (text: string, where: string) => {
    const at = text.search(SECRET);
    if (at !== -1) world.fail("no-secret", `${where}: ${text.slice(Math.max(at - 40, 0), at + 20)}`);
  };
  observer.judgeText(judge);
  return (line) => judge(line, "log");
}

const ofNetwork = {
  link_down: ["pay_unreachable"],
  no_dns: ["pay_dns"],
  no_route: ["pay_unreachable"],
  refused: ["pay_connect_refused"],
  reset: ["pay_connection_lost"],
  black_hole: ["pay_connect_timeout"],
  hang: ["pay_timeout"],
  cut: ["pay_connection_lost"],
  answer_lost: ["pay_timeout"],
  not_trusted: ["pay_tls_untrusted"],
  slow: undefined,
  none: undefined,
} as const satisfies Record<Try["trouble"], readonly string[] | undefined>;

const ofStatus: Readonly<Record<number, string>> = {
  302: "pay_redirected",
  400: "pay_bad_request",
  401: "pay_unauthorized",
  403: "pay_forbidden",
  404: "pay_not_found",
  418: "pay_client_error",
  429: "pay_rate_limited",
  500: "pay_server_error",
  502: "pay_unavailable",
  503: "pay_unavailable",
  504: "pay_unavailable",
};

const ofSignature = {
  bad: "pay_signature_invalid",
  probe: "pay_signature_probe",
  "unknown-serial": "pay_signature_serial",
  none: "pay_unsigned",
  good: "ok",
} as const;

const ofBody = {
  portal: "pay_captive_portal",
  empty: "pay_answer_not_json",
  not_json: "pay_answer_not_json",
  charset: "pay_answer_charset",
  other_authinfo: "pay_authinfo_invalid",
  same_authinfo: "ok",
} as const;

/** What the agent has to call it; undefined where that depends. */
function expected({ trouble, asked, answered }: Try): readonly string[] | undefined {
  const found = ofNetwork[trouble];
  if (found !== undefined) return found;
  if (trouble === "slow" || !answered || asked === undefined || asked.reason !== undefined) return undefined;
  return asked.trouble === undefined ? ["ok"] : expectedOf(asked.trouble);
}

function expectedOf(trouble: AnswerTrouble): readonly string[] | undefined {
  const { status, signature, signedOffS = 0, replay, body } = trouble;
  if (status !== undefined) return [ofStatus[status] ?? "?"];
  // Right after the answer that is replayed it is as good as that.
  if (replay !== undefined) return ["pay_signature_replayed", "ok"];
  if (signedOffS > 0) return ["pay_signature_expired"];
  if (signedOffS < 0) return ["pay_signature_expired", "pay_signature_replayed"];
  if (body !== undefined) return [ofBody[body]];
  if (signature !== undefined) return [ofSignature[signature]];
  return "expiresIn" in trouble ? ["pay_expires_in_invalid"] : undefined;
}

/** One cause has one code, whatever was before and whoever is asked. */
export class CauseInvariant {
  readonly #world: World;
  /** The last request to each origin. */
  readonly #tries = new Map<string, Try>();

  constructor(world: World, observer: Observer) {
    this.#world = world;
    const { onTry } = world.network;
    world.network.onTry = (one) => {
      this.#tries.set(one.origin, one);
      onTry(one);
    };
    observer.judgeText((text, where) => {
      if (where === "/v1/status" && text !== "") this.#judge(JSON.parse(text));
    });
  }

  started(): void {
    this.#tries.clear();
  }

  #judge(status: {
    wechatpay?: { base_urls: readonly { base_url: string; last_outcome: string | null }[] } | null;
  }): void {
    for (const { base_url: url, last_outcome: outcome } of status.wechatpay?.base_urls ?? []) {
      const one = this.#tries.get(new URL(url).origin);
      if (one?.endedAtMs === undefined || !one.steady || outcome === null) continue;
      const codes = expected(one);
      if (codes === undefined || codes.includes(outcome)) continue;
      this.#world.fail(
        "one-code-for-one-cause",
        `${outcome} instead of ${codes} (${one.trouble}, ${JSON.stringify(one.asked?.trouble)})`,
      );
    }
  }
}
