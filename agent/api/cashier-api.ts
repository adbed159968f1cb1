import type { SdkDriver } from "../../drivers/sdk/driver.ts";
import { SeenSecrets } from "../common/log/sanitize-untrusted.ts";
import type { Identity } from "../config/config.ts";
import type { AuthinfoState, CredentialService } from "../credential/credential-types.ts";
import { createAuthinfoRenderer, maySee, unavailable } from "./authinfo-document.ts";
import { type Announcement, createEventStream } from "./events.ts";
import { healthRoutes } from "./health.ts";
import { json, problem, withSupportCode } from "./http/problem.ts";
import { send, sendAsciiJson } from "./http/reply.ts";
import type { Caller, Route } from "./http/routes.ts";
import { type ApiServer, createApiServer, type ServerDeps } from "./http/server.ts";
import { readRejection } from "./rejection.ts";
import { createSdkCalls } from "./sdk-call.ts";

export interface CashierDeps extends ServerDeps {
  readonly credentials: Pick<CredentialService, "view" | "used" | "retryAfterS" | "subscribe" | "reject">;
  /** Undefined while there is no configuration. Return the same object while it is the same: the text is kept by it. */
  readonly identity: () => Identity | undefined;
  readonly driver: () => Pick<SdkDriver, "call"> | undefined;
  readonly live: () => boolean;
  /** An authinfo has been handed out in this state. */
  readonly served: (state: AuthinfoState) => void;
}

/** The server behind api.sock (specification 5): the only one that can hand out an authinfo. */
export function createCashierServer(deps: CashierDeps): ApiServer {
  const { credentials, served } = deps;
  const render = createAuthinfoRenderer();
  /** An app may well refuse one authinfo in words about the one before, or about a rawdata that it asked for itself. */
  const given = new SeenSecrets();

  function announce(staleOk: boolean, handsOut = true): Announcement {
    const view = credentials.view();
    const { credential } = view;
    const identity = deps.identity();
    if (credential === undefined || identity === undefined || !maySee(view.state, staleOk)) {
      return {
        kind: "unavailable",
        reply: withSupportCode(unavailable(view, credentials.retryAfterS()), deps.supportCode),
      };
    }
    if (handsOut) served(view.state);
    if (credential.authinfo !== given.newest) given.add(credential.authinfo);
    return { kind: "authinfo", generation: credential.generation, text: render(view, credential, identity) };
  }

  function getAuthinfo({ req, res, query }: Caller): void {
    const isRead = req.method !== "HEAD";
    if (isRead) credentials.used();
    const announcement = announce(query !== "" && asksForStale(query), isRead);
    if (announcement.kind === "authinfo") sendAsciiJson(res, announcement.text);
    else send(res, announcement.reply);
  }

  const stream = createEventStream({
    clock: deps.clock,
    denied: deps.denied,
    announce,
    supportCode: deps.supportCode,
    subscribe: (listener) => credentials.subscribe(listener),
  });

  const routes: [string, Route][] = [
    ["/v1/authinfo", { get: getAuthinfo }],
    ["/v1/authinfo/events", { get: (caller) => stream(caller, asksForStale(caller.query)) }],
    [
      "/v1/authinfo/reject",
      {
        post: (body) => {
          // Also to an app that reads the copy and never asks.
          const { credential, state } = credentials.view();
          given.add(credential?.authinfo);
          const isNews = (generation: number) => generation === credential?.generation && state !== "rejected";
          const rejection = readRejection(body, given.all, isNews);
          if (rejection === undefined) {
            deps.denied("body_invalid");
            return problem("BODY_INVALID", {
              detail: 'Expected {"generation": 1 or more, "err_code"?, "return_code"?, "return_msg"?}.',
            });
          }
          if (state === "unprovisioned") return problem("UNPROVISIONED", { retryAfterS: credentials.retryAfterS() });
          const result = credentials.reject(rejection);
          return json(202, { result, generation: credentials.view().credential?.generation ?? 0 });
        },
      },
    ],
    ["/v1/sdk/call", { post: createSdkCalls({ ...deps, given, used: () => credentials.used() }) }],
    ...healthRoutes({
      live: deps.live,
      view: () => credentials.view(),
      retryAfterS: () => credentials.retryAfterS(),
      supportCode: deps.supportCode,
    }),
  ];
  return createApiServer(new Map(routes), deps);
}

/** `stale=ok`, written exactly so; any other parameter is ignored. */
function asksForStale(query: string): boolean {
  return query.split("&").includes("stale=ok");
}
