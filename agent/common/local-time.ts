/** The shop's own time: the technician compares it with a clock on the wall. */
export function localTime(rfc3339: string): string {
  return new Date(rfc3339).toLocaleString("sv-SE");
}
