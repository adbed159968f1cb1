import type { IncomingMessage, ServerResponse } from "node:http";
import type { Connection } from "../api/http/connection.ts";
import type { Reply } from "../api/http/problem.ts";
import { send } from "../api/http/reply.ts";
import type { Text } from "../messages/message.ts";
import type { Access } from "./access.ts";
import { readForm } from "./form.ts";
import { judge, type Refusal, valuesOf } from "./guard.ts";
import { languageTags, type PageLanguage } from "./layout.ts";
import { pageReply, refusalReply, securityHeaders } from "./page-replies.ts";
import type { PageView } from "./page-view.ts";
import { renderPage } from "./render-page.ts";

/** What the page is made of, and what it can set going. */
export interface PageSources {
  /** Of texts; what the browser prefers when nobody has said. */
  readonly language: PageLanguage | undefined;
  readonly view: () => Promise<PageView>;
  readonly act: Readonly<Record<"refresh" | "diagnose", () => void>>;
  /** The support bundle and its name, or why there is none; undefined before diagnose has ended. */
  readonly bundle: () => Promise<
    { readonly name: string; readonly archive: Buffer } | { readonly why: Text } | undefined
  >;
  /** A defect: nobody but whoever runs this process is told what it is. */
  readonly failed: (error: unknown) => void;
}

export interface Occasions {
  /** Whoever has opened the link has asked for something. */
  readonly used: () => void;
  /** The link has been guessed at, and is worth nothing any more. */
  readonly isVoid: () => void;
}

const LINK = "/open/";
const METHODS: Readonly<Record<string, string>> = {
  ...{ "": "GET, HEAD", bundle: "GET", refresh: "POST", diagnose: "POST" },
};

/** Judges each request, and answers those of the one who has opened the link. */
export class PageHandler {
  readonly #sources: PageSources;
  readonly #access: Access;
  readonly #occasions: Occasions;
  #view: Promise<PageView> | undefined;
  /** What the link names; no other Host is answered. */
  authority = "";

  constructor(sources: PageSources, access: Access, occasions: Occasions) {
    this.#sources = sources;
    this.#access = access;
    this.#occasions = occasions;
  }

  handle(req: IncomingMessage, res: ServerResponse, connection: Connection, awaitsContinue: boolean): void {
    const language = this.#languageOf(req);
    res.on("error", () => res.destroy());
    const refusal = judge(req, this.authority) ?? this.#admit(req, connection);
    if (refusal !== undefined) {
      send(res, closing(req, refusalReply(refusal, language)));
      return;
    }
    if (awaitsContinue) res.writeContinue();
    this.#answer(req, res, language).then(
      (reply) => reply && send(res, closing(req, reply)),
      (error: unknown) => {
        this.#sources.failed(error);
        send(res, closing(req, refusalReply("internal", language)));
      },
    );
  }

  /** Below the secret path, and with the cookie: this is whoever has opened the link. A link itself is judged when it is used. */
  #admit(req: IncomingMessage, connection: Connection): Refusal | undefined {
    const path = pathOf(req);
    if (path.startsWith(LINK)) return undefined;
    if (!path.startsWith(this.#access.root)) return "not_found";
    if (!this.#access.admits(req.headers.cookie)) return "session";
    connection.admitted = true;
    this.#occasions.used();
    return undefined;
  }

  /** Undefined when it has been sent already. */
  async #answer(req: IncomingMessage, res: ServerResponse, language: PageLanguage): Promise<Reply | undefined> {
    const path = pathOf(req);
    const { method } = req;
    if (path.startsWith(LINK)) return this.#open(method, path.slice(LINK.length), language);
    const name = path.slice(this.#access.root.length);
    if (name === "" && method !== "POST") return pageReply(200, await this.#render(language));
    if (name === "bundle" && method === "GET") return await this.#sendBundle(res, language);
    if ((name === "refresh" || name === "diagnose") && method === "POST") return await this.#press(name, req, language);
    const allow = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
    if (allow === undefined) return refusalReply("not_found", language);
    return { ...refusalReply("method", language), allow };
  }

  /** Nothing but a GET uses the link up: a program that looks at links asks by HEAD. */
  #open(method: string | undefined, token: string, language: PageLanguage): Reply {
    if (method !== "GET") return { ...refusalReply("method", language), allow: "GET" };
    const use = this.#access.use(token);
    if (this.#access.isVoid) this.#occasions.isVoid();
    if (use !== "opened") return refusalReply(use === "used" ? "link_used" : "link_wrong", language);
    this.#occasions.used();
    return this.#redirect(language, ["Set-Cookie", this.#access.setCookie]);
  }

  async #press(name: "refresh" | "diagnose", req: IncomingMessage, language: PageLanguage): Promise<Reply> {
    const fields = await readForm(req);
    if (fields === undefined) return refusalReply("body", language);
    if (!this.#access.admitsForm(fields.getAll("csrf"))) return refusalReply("form", language);
    this.#sources.act[name]();
    return this.#redirect(languageNamed(fields.get("lang")) ?? language);
  }

  async #sendBundle(res: ServerResponse, language: PageLanguage): Promise<Reply | undefined> {
    const bundle = await this.#sources.bundle();
    if (bundle === undefined) return refusalReply("no_bundle", language);
    if ("why" in bundle) return refusalReply("no_bundle", language, bundle.why);
    if (res.destroyed) return undefined;
    res.writeHead(200, [
      ...["Content-Type", "application/gzip", "Content-Length", String(bundle.archive.length)],
      ...["Content-Disposition", `attachment; filename="${bundle.name}"`],
      ...["Cache-Control", "no-store", "X-Content-Type-Options", "nosniff", ...securityHeaders],
    ]);
    res.end(bundle.archive);
    return undefined;
  }

  /** However many ask at a time, the agent is asked once. */
  async #render(language: PageLanguage) {
    this.#view ??= this.#sources.view().finally(() => {
      this.#view = undefined;
    });
    const { root, csrf } = this.#access;
    return renderPage(await this.#view, language, { root, csrf });
  }

  #redirect(language: PageLanguage, headers: readonly string[] = []): Reply {
    const place = `${this.#access.root}?lang=${languageTags[language]}`;
    const all = [...securityHeaders, "Location", place, ...headers];
    return { status: 303, contentType: "text/plain", body: "", headers: all };
  }

  #languageOf(req: IncomingMessage): PageLanguage {
    const asked = languageNamed(new URLSearchParams((req.url ?? "").split("?")[1] ?? "").get("lang"));
    const [preferred = ""] = valuesOf(req.rawHeaders, "accept-language");
    return asked ?? this.#sources.language ?? (/^en/i.test(preferred) ? "en" : "zh");
  }
}

/** What follows a head that is not as it should be, or a body that was not read, is not trusted. */
function closing(req: IncomingMessage, reply: Reply): Reply {
  return !req.complete || reply.status === 400 || reply.status === 505 ? { ...reply, close: true } : reply;
}

function languageNamed(tag: string | null): PageLanguage | undefined {
  return (["zh", "en"] as const).find((language) => languageTags[language] === tag);
}

/** As it came: nothing is decoded, and no dots are resolved. */
function pathOf({ url = "" }: IncomingMessage): string {
  return url.split("?", 1)[0] ?? "";
}
