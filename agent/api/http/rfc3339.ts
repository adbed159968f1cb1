/** The last instant a four-digit year can name. */
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** RFC 3339, UTC, with milliseconds (specification 5). A clock gone mad gives the nearest time that can be written, not a RangeError. */
export function rfc3339(wallMs: number): string {
  const bounded = Number.isFinite(wallMs) ? Math.min(Math.max(wallMs, 0), LATEST_MS) : 0;
  return new Date(bounded).toISOString();
}
