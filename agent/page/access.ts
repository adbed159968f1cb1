import { createHash, timingSafeEqual } from "node:crypto";
import type { Random } from "../common/random.ts";

/** So many wrong tokens, and the link is worth nothing any more: whoever guesses at 256 bits is no technician who has mistyped. */
const MOST_WRONG = 20;
const COOKIE = "facepay";
/** A browser sends what others have set for this address, too. */
const MOST_COOKIES = 32;

export type LinkUse = "opened" | "used" | "wrong" | "void";

/**
 * Who may see the page (specification 11): whoever has used the link first. Its token is good once and turns into a cookie. All addresses of the
 * page lie below a path that nobody else knows, and so does the cookie: cookies know no ports (RFC 6265 section 8.5), and another server on this
 * machine, or the next run of this one, must not be sent ours.
 */
export class Access {
  /** "/<secret>/" */
  readonly root: string;
  /** Goes with every form (a page of another origin cannot read it). */
  readonly csrf: string;
  readonly #token: string;
  readonly #session: string;
  #used = false;
  #wrong = 0;

  constructor(random: Random) {
    const secret = () => random.bytes(32).toString("base64url");
    this.root = `/${secret()}/`;
    this.#token = secret();
    this.#session = secret();
    this.csrf = secret();
  }

  /** Path of the link. */
  get link(): string {
    return `/open/${this.#token}`;
  }

  /** Nobody has used the link, and nobody can any more. */
  get isVoid(): boolean {
    return !this.#used && this.#wrong >= MOST_WRONG;
  }

  use(token: string): LinkUse {
    if (this.isVoid) return "void";
    if (!isSame(token, this.#token)) {
      this.#wrong++;
      return "wrong";
    }
    if (this.#used) return "used";
    this.#used = true;
    return "opened";
  }

  /** Value of `Set-Cookie` after the link has been used. No `Secure`: this is loopback without TLS. */
  get setCookie(): string {
    return `${COOKIE}=${this.#session}; Path=${this.root}; HttpOnly; SameSite=Strict`;
  }

  /** Whether the cookie that was given out is among those of a request. */
  admits(cookies: string | undefined): boolean {
    if (!this.#used || cookies === undefined) return false;
    const values = cookies
      .split(";", MOST_COOKIES)
      .map((pair) => pair.trim())
      .filter((pair) => pair.startsWith(`${COOKIE}=`))
      .map((pair) => pair.slice(COOKIE.length + 1));
    return values.some((value) => isSame(value, this.#session));
  }

  admitsForm(csrf: readonly string[]): boolean {
    return csrf.length === 1 && isSame(csrf[0] ?? "", this.csrf);
  }
}

/** In a time that tells nothing of either. */
function isSame(given: string, own: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(own));
}
