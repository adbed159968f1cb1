// The authinfo of facepay-agent for a cashier app. Node 18 or newer, no dependency; behaviour: docs/specification.md section 13.
import http from "node:http";
import { setTimeout as pause } from "node:timers/promises";

const DEFAULT_SOCKET = "/run/facepay-agent/api.sock";
/** No answer of the agent is longer. */
const LONGEST_ANSWER = 64 * 1024;
/** The agent writes a line every 15 s. */
const SILENCE_MS = 40_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

const STARTING = {
  zh: "刷脸支付准备中，请稍候或扫码支付",
  en: "Face payment is starting. Please wait or pay by QR code.",
};
const NETWORK = {
  zh: "网络异常，暂不能刷脸，请扫码支付",
  en: "Network problem: no face payment now. Please pay by QR code.",
};
const EXPIRED = { zh: "暂时不能刷脸支付，请扫码支付", en: "No face payment at the moment. Please pay by QR code." };
const DEVICE = { zh: "刷脸设备异常，请扫码支付", en: "The face camera does not respond. Please pay by QR code." };
const SETUP = { zh: "本机尚未开通刷脸支付，请扫码支付", en: "Face payment is not set up here. Please pay by QR code." };
const UNAVAILABLE = { zh: "刷脸支付暂不可用，请扫码支付", en: "Face payment is unavailable. Please pay by QR code." };

/** How the code and the cause begin, and what to show the shopper. The first row that fits counts. */
const TEXTS = [
  [/^AUTHINFO_/, /^(BRIDGE|SDK|DEVICE)_/, DEVICE],
  [/^AUTHINFO_/, /^PAY_(DNS|CONNECT|UNREACHABLE|TIMEOUT|TLS|PROXY|CAPTIVE)/, NETWORK],
  [/^AUTHINFO_/, /^PAY_/, UNAVAILABLE],
  [/^AUTHINFO_ABSENT$/, /^/, STARTING],
  [/^AUTHINFO_EXPIRED$/, /^/, EXPIRED],
  [/^UNPROVISIONED$/, /^/, SETUP],
];

export function shopperText(code, cause = "") {
  return TEXTS.find(([codes, causes]) => codes.test(code) && causes.test(cause))?.[2] ?? UNAVAILABLE;
}

function problem(code, cause, supportCode) {
  const given = { ...(cause === undefined ? {} : { cause }), ...(supportCode === undefined ? {} : { supportCode }) };
  return { ok: false, code, ...given, message: shopperText(code, cause) };
}

const UNREACHABLE = problem("AGENT_UNREACHABLE");

/** The document of a 200 or of an event, the problem of a 503; anything else is no answer of the agent. */
function understood(text) {
  try {
    const document = JSON.parse(text);
    if (typeof document.authinfo === "string" && document.authinfo !== "") return { ok: true, document };
    if (typeof document.code === "string") return problem(document.code, document.cause?.code, document.support_code);
  } catch {
    // Below.
  }
  return UNREACHABLE;
}

export class FacepayAgent {
  #socketPath;
  #timeoutMs;

  constructor({ socket = process.env.FACEPAY_AGENT_SOCKET || DEFAULT_SOCKET, timeoutMs = 2_000 } = {}) {
    this.#socketPath = socket;
    this.#timeoutMs = timeoutMs;
  }

  /** The authinfo now. Always resolves, within the time-out. */
  async read({ staleOk = false } = {}) {
    const answer = await this.#ask("GET", staleOk ? "/v1/authinfo?stale=ok" : "/v1/authinfo");
    return answer === undefined ? UNREACHABLE : understood(answer.text);
  }

  /** Tells the agent that the SDK refused this generation: "renewing", "outdated", "limited", or a code. */
  async reject(generation, { err_code, return_code, return_msg } = {}) {
    const answer = await this.#ask("POST", "/v1/authinfo/reject", { generation, err_code, return_code, return_msg });
    try {
      const { result, code } = JSON.parse(answer.text);
      if (typeof (result ?? code) === "string") return result ?? code;
    } catch {
      // Below.
    }
    return UNREACHABLE.code;
  }

  /** Calls `listener` with the state at once and at every change, until `close()`. Reconnects by itself. */
  watch(listener) {
    const closed = new AbortController();
    const watching = { current: UNREACHABLE, close: () => closed.abort() };
    const tell = (now) => {
      if (closed.signal.aborted) return;
      watching.current = now;
      listener(now);
    };
    void this.#follow(tell, closed.signal);
    return watching;
  }

  async #follow(tell, signal) {
    let failures = 0;
    let lostAt = performance.now();
    let told = false;
    while (!signal.aborted) {
      const heard = await this.#stream((now) => {
        failures = 0;
        told = now === UNREACHABLE;
        tell(now);
      }, signal);
      const now = performance.now();
      if (heard) lostAt = now;
      // A restart of the agent takes a moment: only a longer absence is news.
      if (!told && now - lostAt >= this.#timeoutMs) {
        told = true;
        tell(UNREACHABLE);
      }
      const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures++, 10));
      await pause(longest * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
    }
  }

  /** One event stream, to its end. Resolves to whether anything came. */
  #stream(tell, signal) {
    return new Promise((resolve) => {
      let heard = false;
      let rest = "";
      const request = http.get(this.#options("/v1/authinfo/events", { signal }), (response) => {
        response.setEncoding("utf8");
        response.on("data", (chunk) => {
          const lines = (rest + chunk).split("\n");
          rest = lines.pop();
          if (rest.length > LONGEST_ANSWER) request.destroy();
          for (const line of lines) {
            if (!line.startsWith("data:")) continue;
            heard = true;
            tell(understood(line.slice(5)));
          }
          if (heard) request.setTimeout(SILENCE_MS);
        });
        response.on("error", () => {});
      });
      // Until the first event the time-out of a request holds.
      request.setTimeout(this.#timeoutMs, () => request.destroy());
      request.on("error", () => {});
      request.on("close", () => resolve(heard));
    });
  }

  /** One request within the time-out; undefined when there was no whole answer. */
  async #ask(method, path, body) {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    for (;;) {
      const answer = await this.#once(method, path, body, signal);
      if (answer !== "busy" || signal.aborted) return answer === "busy" ? undefined : answer;
      await pause(10 + Math.random() * 40);
    }
  }

  #once(method, path, body, signal) {
    return new Promise((resolve) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const request = http.request(this.#options(path, { method, signal }), (response) => {
        let answer = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => {
          answer += chunk;
          if (answer.length > LONGEST_ANSWER) request.destroy();
        });
        response.on("error", () => resolve(undefined));
        response.on("end", () => resolve({ status: response.statusCode, text: answer }));
      });
      // EAGAIN: more are waiting to be accepted than the socket takes.
      request.on("error", (error) => resolve(error.code === "EAGAIN" ? "busy" : undefined));
      if (text !== undefined) request.setHeader("Content-Type", "application/json");
      request.end(text);
    });
  }

  #options(path, more) {
    return { socketPath: this.#socketPath, path, headers: { Host: "localhost" }, agent: false, ...more };
  }
}
