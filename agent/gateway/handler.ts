import type { X509Certificate } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import { readBody } from "../api/http/body.ts";
import type { Connection } from "../api/http/connection.ts";
import { checkRequest } from "../api/http/guard.ts";
import { send } from "../api/http/reply.ts";
import type { Clock } from "../common/clock.ts";
import { isAgentError } from "../common/errors.ts";
import type { Log } from "../common/log/log.ts";
import { AUTHINFO_PATH, ECHO_PATH } from "../wechatpay/client.ts";
import type { Forwarded, Forwarder } from "../wechatpay/forward.ts";
import { requestId } from "../wechatpay/headers.ts";
import { isSuccess } from "../wechatpay/transport/transport.ts";
import { answerHeaders } from "./answer-headers.ts";
import { admit, type Rules, type Shown } from "./authenticate.ts";
import type { GatewayConfig } from "./config.ts";
import { shownBy } from "./credentials.ts";
import type { RefusalCode } from "./error-responses.ts";
import { refusal } from "./error-responses.ts";
import type { FleetBook } from "./fleet-book.ts";
import type { GatewayMetrics } from "./metrics.ts";
import type { RateLimit } from "./rate-limit.ts";
import type { Device } from "./register.ts";
import { checkAuthinfo, checkEcho } from "./validate-request.ts";

/** What is in force when a request comes; a reload puts other things here. */
export interface InForce extends Rules {
  readonly config: GatewayConfig;
  readonly authorities: readonly X509Certificate[];
  readonly forwarder: Forwarder;
}

export interface HandlerDeps {
  readonly now: () => InForce;
  readonly rate: RateLimit;
  readonly fleet: FleetBook;
  readonly metrics: GatewayMetrics;
  readonly clock: Clock;
  readonly log: Log;
  /** Falls when what is under way has to end. */
  readonly ending: AbortSignal;
}

/** A client that is refused for lack of capacity may retry after this. */
const BUSY_RETRY_S = 2;
/** WeChat Pay has one key id for a merchant; a terminal whose file is older or newer names its own. */
const PUBLIC_KEY_ID = /^PUB_KEY_ID_[0-9A-Za-z_-]{1,80}$/;

/** One request, for the audit line. */
interface Account {
  path: "authinfo" | "echo" | "other";
  device?: Device;
  by?: string;
  /** Of a known terminal within its limit of requests: then every line of it is kept. */
  bounded: boolean;
}

/** Refused with its head read and no more. */
class Refused extends Error {
  readonly code: RefusalCode;
  readonly detail: string;
  readonly retryAfterS: number | undefined;

  constructor(code: RefusalCode, detail = "", retryAfterS?: number) {
    super(code);
    this.code = code;
    this.detail = detail;
    this.retryAfterS = retryAfterS;
  }
}

/** Judges requests, has them signed and sent, and passes on what comes back. Holds nothing from one to the next. */
export function createHandler(deps: HandlerDeps) {
  const { now, rate, fleet, metrics, clock, log, ending } = deps;
  let inFlight = 0;

  /** Who asks, or why not; decides what becomes of the connection. */
  function identify(shown: Shown, connection: Connection): Device {
    const admission = admit(shown, now(), clock.wall());
    connection.admitted = admission.ok;
    if (!admission.ok) throw new Refused(admission.code);
    return admission.device;
  }

  async function exchange(
    req: IncomingMessage,
    res: ServerResponse,
    account: Account,
    connection: Connection,
    awaits: boolean,
    signal: AbortSignal,
  ): Promise<Forwarded | undefined> {
    const { config, authorities, forwarder } = now();
    const fault = checkRequest(req);
    if (fault !== undefined) throw new Refused(fault.code, fault.header);
    account.path = pathOf(req.url ?? "", config.basePath);
    if (account.path === "other") throw new Refused("NOT_FOUND");
    if (req.method !== "POST") throw new Refused("METHOD_NOT_ALLOWED");
    const shown = shownBy(req.socket as TLSSocket, req.rawHeaders, authorities);
    const device = identify(shown, connection);
    account.device = device;
    fleet.asked(device.deviceId, req.headers["user-agent"]);
    account.by = [shown.certificate && "certificate", shown.token && "token"].filter(Boolean).join("+");
    const publicKeyId = serialOf(req);
    const waitS = rate.take(device.deviceId, clock.boot(), config);
    if (waitS !== undefined) throw new Refused("RATE_LIMITED", "", waitS);
    account.bounded = true;
    if (inFlight >= config.inFlight) throw new Refused("BUSY", "", BUSY_RETRY_S);
    inFlight++;
    try {
      if (awaits) res.writeContinue();
      const body = await readBody(req);
      if (body.kind === "gone") return undefined;
      if (body.kind === "too_large") throw new Refused("BODY_TOO_LARGE");
      if (body.kind === "invalid") throw new Refused("BODY_INVALID");
      const content = body.kind === "object" ? body.value : undefined;
      const wanted =
        account.path === "echo" ? checkEcho(content) : checkAuthinfo(content, device, config.identity.spAppid);
      if (!wanted.ok) throw new Refused(wanted.code, wanted.field);
      const path = account.path === "echo" ? ECHO_PATH : AUTHINFO_PATH;
      const forwarded = await forwarder.forward({ ...wanted, path, ...publicKeyId }, signal);
      // Struck off while WeChat Pay was asked: then not even this one answer.
      identify(shown, connection);
      return forwarded;
    } finally {
      inFlight--;
    }
  }

  async function answer(req: IncomingMessage, res: ServerResponse, connection: Connection, awaits: boolean) {
    const startedAt = clock.boot();
    const account: Account = { path: "other", bounded: false };
    const leaves = hold(res, ending);
    const tell = (outcome: string, facts: Readonly<Record<string, unknown>>) => {
      const ms = clock.boot() - startedAt;
      metrics.request(account.path, outcome, ms / 1000);
      const { device, by, path } = account;
      const who = { device_id: device?.deviceId, sub_mchid: device?.subMchid, by, remote: connection.address };
      const line = { ...who, path, outcome, ms: Math.round(ms * 10) / 10, ...facts };
      log.info(account.bounded ? "GATEWAY_REQUEST" : "GATEWAY_REFUSED", line);
    };
    try {
      const forwarded = await exchange(req, res, account, connection, awaits, leaves);
      if (forwarded === undefined) return tell("gone", {});
      const { answer: found, outcome, baseUrl } = forwarded;
      const { device, path } = account;
      if (device && path === "authinfo" && isSuccess(found.status)) fleet.succeeded(device.deviceId, clock.wall());
      pass(res, forwarded, account.path === "authinfo" ? now().config.refreshSeconds : undefined);
      tell(outcome, { status: found.status, request_id: requestId(found.headers), base_url: baseUrl });
    } catch (error) {
      if (leaves.aborted && !(error instanceof Refused)) {
        res.destroy();
        return tell("gone", {});
      }
      const { code, detail, retryAfterS, cause } = refusedBy(error);
      const reply = refusal(code, detail, retryAfterS);
      if (code === "INTERNAL") log.error("GATEWAY_INTERNAL", { error });
      tell(`gateway_${code.toLowerCase()}`, { status: reply.status, detail: detail || undefined, cause });
      const allow = reply.status === 405 ? { allow: "POST" } : {};
      // A stranger's connection ends with the first refusal, whatever that is; so does one whose body is still to come.
      const close = !req.complete || reply.status === 400 || !connection.admitted;
      send(res, { ...reply, ...allow, close });
    }
  }

  return {
    /** Whether the certificate alone lets this terminal in, before it has asked for anything. */
    admits: (socket: TLSSocket): boolean => admit(shownBy(socket, [], now().authorities), now(), clock.wall()).ok,
    get inFlight() {
      return inFlight;
    },
    handle(req: IncomingMessage, res: ServerResponse, connection: Connection, awaits: boolean): void {
      // A response that loses its socket emits "error" on a late write; "close" has told us already.
      res.on("error", () => res.destroy());
      answer(req, res, connection, awaits).catch((error: unknown) => {
        log.error("GATEWAY_INTERNAL", { error });
        res.destroy();
      });
    },
  };
}

/** The signal falls when the caller leaves or all has to end. */
function hold(res: ServerResponse, ending: AbortSignal): AbortSignal {
  const left = new AbortController();
  const stop = () => left.abort(ending.reason);
  ending.addEventListener("abort", stop, { once: true });
  res.once("close", () => {
    ending.removeEventListener("abort", stop);
    // No one waits for the signal once the answer is sent, and aborting it costs as much as parsing the request.
    if (!res.writableFinished) left.abort("the caller has left");
  });
  return left.signal;
}

/** WeChat Pay's answer as it came: status, the headers that are for a terminal, and the very octets of its body. */
function pass(res: ServerResponse, { answer }: Forwarded, refreshSeconds: number | undefined): void {
  if (res.destroyed || res.headersSent) return;
  // WeChat Pay's own Date goes along and tells the terminal how far its clock is off; without one Node adds ours.
  const lever = isSuccess(answer.status) ? refreshSeconds : undefined;
  res.writeHead(answer.status, answerHeaders(answer.headers, answer.body.length, lever));
  res.end(answer.body);
}

function pathOf(url: string, basePath: string): Account["path"] {
  if (url === basePath + AUTHINFO_PATH) return "authinfo";
  return url === basePath + ECHO_PATH ? "echo" : "other";
}

/** The one header of a terminal that goes on: which key WeChat Pay is to sign with. */
function serialOf(req: IncomingMessage): { readonly publicKeyId?: string } {
  const given: string[] = [];
  for (let i = 0; i + 1 < req.rawHeaders.length; i += 2) {
    if (req.rawHeaders[i]?.toLowerCase() === "wechatpay-serial") given.push(req.rawHeaders[i + 1] ?? "");
  }
  const [publicKeyId] = given;
  if (publicKeyId === undefined) return {};
  if (given.length > 1 || !PUBLIC_KEY_ID.test(publicKeyId)) throw new Refused("MALFORMED_REQUEST", "Wechatpay-Serial");
  return { publicKeyId };
}

interface Why {
  readonly code: RefusalCode;
  readonly detail: string;
  readonly retryAfterS?: number | undefined;
  readonly cause?: string;
}

function refusedBy(error: unknown): Why {
  if (error instanceof Refused) return error as Why;
  if (!isAgentError(error) || error.code === "INTERNAL") return { code: "INTERNAL", detail: "" };
  const code = error.code === "PAY_TIMEOUT" ? "UPSTREAM_TIMEOUT" : "UPSTREAM_FAILED";
  return { code, detail: error.code, cause: error.code };
}
