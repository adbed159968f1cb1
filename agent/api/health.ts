import type { AuthinfoView } from "../credential/credential-types.ts";
import { isServed, type PublicView, unavailable } from "./authinfo-document.ts";
import { json, problem, withSupportCode } from "./http/problem.ts";
import { send } from "./http/reply.ts";
import type { Route } from "./http/routes.ts";

const OK = json(200, { status: "ok" });
const READY = json(200, { status: "ready" });

export interface HealthDeps {
  readonly live: () => boolean;
  readonly view: () => PublicView | AuthinfoView;
  /** As `CredentialService.retryAfterS`. */
  readonly retryAfterS: () => number;
  readonly supportCode?: (() => string) | undefined;
}

/** `livez`: our loops turn, network or not. `readyz`: an authinfo is held that is not stale. */
export function healthRoutes({ live, view, retryAfterS, supportCode }: HealthDeps): [string, Route][] {
  return [
    ["/livez", { get: ({ res }) => send(res, live() ? OK : withSupportCode(problem("NOT_LIVE"), supportCode)) }],
    [
      "/readyz",
      {
        get: ({ res }) => {
          const now = view();
          send(res, isServed(now.state) ? READY : withSupportCode(unavailable(now, retryAfterS()), supportCode));
        },
      },
    ],
  ];
}
