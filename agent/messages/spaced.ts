/** A word behind Chinese text: a space stands between Chinese and anything else, and none between Chinese and Chinese. */
export function spaced(word: string): string {
  return /^[!-~]/.test(word) ? ` ${word}` : word;
}
