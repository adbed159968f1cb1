/** A key, a file name or a peer's words may hold characters that a terminal obeys; they are shown by number instead. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (one) =>
    one === "\n" ? one : `\\u${(one.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}
