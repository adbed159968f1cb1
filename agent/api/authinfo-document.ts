import type { Identity } from "../config/config.ts";
import type { AuthinfoState, AuthinfoView, Cause } from "../credential/credential-types.ts";
import type { Credential } from "../store/credential.ts";
import { type ProblemFacts, problem, type Reply } from "./http/problem.ts";
import { rfc3339 } from "./http/rfc3339.ts";

/** What technician and monitoring may know: everything but the authinfo itself. */
export interface PublicView extends Omit<AuthinfoView, "credential"> {
  readonly credential?: Omit<Credential, "authinfo">;
}

/** The admin socket is given this, so that it cannot leak what it never had. */
export function withoutAuthinfo(view: AuthinfoView): PublicView {
  const { credential, ...rest } = view;
  if (credential === undefined) return rest;
  const { authinfo: _secret, ...open } = credential;
  return { ...rest, credential: open };
}

/** States in which a reader that asks for nothing special gets the authinfo; also what `readyz` calls ready. */
export function isServed(state: AuthinfoState): boolean {
  return state === "fresh" || state === "due" || state === "rejected";
}

/** Whether this reader gets the authinfo. `staleOk`: it asked with `?stale=ok`. */
export function maySee(state: AuthinfoState, staleOk: boolean): boolean {
  return isServed(state) || (staleOk && state === "stale");
}

/** Whole seconds, rounded down; past its expiry an authinfo has none left. */
function remainingSeconds(view: { readonly remainingMs: number }): number {
  return Math.floor(Math.max(0, view.remainingMs) / 1000);
}

/** The 503 of a reader that gets none (specification 5). */
export function unavailable(view: PublicView | AuthinfoView, retryAfterS?: number): Reply {
  const { state, cause, remainingMs } = view;
  const facts: ProblemFacts = {
    ...(retryAfterS === undefined ? {} : { retryAfterS }),
    ...(cause === undefined ? {} : { cause }),
  };
  if (state === "unprovisioned") return problem("UNPROVISIONED", facts);
  if (state !== "stale" && state !== "expired") return problem("AUTHINFO_ABSENT", facts);
  const extra = { expired_for_s: Math.floor(Math.max(0, -remainingMs) / 1000), stale_available: state === "stale" };
  return problem("AUTHINFO_EXPIRED", { ...facts, extra });
}

/** One rendering of `GET /v1/authinfo`. `text` is pure ASCII, so its length is also its Content-Length. */
export type AuthinfoRenderer = (view: AuthinfoView, credential: Credential, identity: Identity) => string;

interface Rendered {
  readonly view: AuthinfoView;
  readonly credential: Credential;
  readonly identity: Identity;
  readonly head: string;
  readonly tail: string;
  seconds: number;
  text: string;
}

/**
 * Renders the specification's document, its members in the specification's order. Between two changes only `remaining_s` differs,
 * so the text before and after it is kept, and the whole for a second: readers may ask thousands of times in one.
 */
export function createAuthinfoRenderer(): AuthinfoRenderer {
  let kept: Rendered | undefined;
  return (view, credential, identity) => {
    if (
      kept === undefined ||
      kept.credential !== credential ||
      kept.identity !== identity ||
      kept.view.state !== view.state ||
      kept.view.clockTrusted !== view.clockTrusted ||
      kept.view.persisted !== view.persisted ||
      kept.view.cause?.code !== view.cause?.code
    ) {
      kept = { view, credential, identity, ...parts(view, credential, identity), seconds: Number.NaN, text: "" };
    }
    const seconds = remainingSeconds(view);
    if (seconds !== kept.seconds) {
      kept.seconds = seconds;
      // Joined, since a sum would be a tree of parts that is walked again for every reader.
      kept.text = [kept.head, seconds, kept.tail].join("");
    }
    return kept.text;
  };
}

function parts(view: AuthinfoView, credential: Credential, identity: Identity): { head: string; tail: string } {
  const before = {
    authinfo: credential.authinfo,
    device_id: credential.deviceId,
    sp_mchid: identity.spMchid,
    sp_appid: identity.spAppid,
    sub_mchid: identity.subMchid,
    ...(identity.subAppid === undefined ? {} : { sub_appid: identity.subAppid }),
    organization_id: identity.organizationId,
    state: view.state,
    generation: credential.generation,
    obtained_at: rfc3339(credential.obtainedWallMs),
    expires_at: rfc3339(credential.obtainedWallMs + credential.lifetimeMs),
  };
  const after = {
    expiry_source: credential.expirySource,
    clock_trusted: view.clockTrusted,
    persisted: view.persisted,
    ...(view.cause === undefined ? {} : { renewal: renewalDocument(view.cause) }),
  };
  return { head: `${ascii(before).slice(0, -1)},"remaining_s":`, tail: `,${ascii(after).slice(1)}` };
}

/** So that an app can tell a renewal that fails from an ordinary `due` (specification 5). */
function renewalDocument({ code, sinceWallMs }: Cause): Record<string, unknown> {
  return { failing: true, since: rfc3339(sinceWallMs), code };
}

/** The answer to a refresh that succeeded: the new state, never the value. */
export function refreshedDocument(view: PublicView): Record<string, unknown> {
  const { credential } = view;
  if (credential === undefined) return { state: view.state, remaining_s: 0, persisted: view.persisted };
  return {
    state: view.state,
    generation: credential.generation,
    obtained_at: rfc3339(credential.obtainedWallMs),
    expires_at: rfc3339(credential.obtainedWallMs + credential.lifetimeMs),
    remaining_s: remainingSeconds(view),
    expiry_source: credential.expirySource,
    persisted: view.persisted,
  };
}

/** JSON with every other character as a \u escape: one octet a character, and nothing that a terminal would obey. */
function ascii(document: object): string {
  return JSON.stringify(document).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
