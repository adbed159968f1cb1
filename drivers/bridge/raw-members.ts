/**
 * The members of a JSON object as they are written. What passes through the bridge must stay as it is (specification 3: "both
 * unchanged"), and JSON.parse would round numbers beyond 2^53 and drop doubled keys.
 */

/**
 * The text of each member of the outermost object, without the white space around it; of doubled names the last one, as JSON.parse
 * has it. `text` must be one valid JSON object: this only finds where its members begin and end.
 */
export function rawMembers(text: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  let at = text.indexOf("{") + 1;
  for (;;) {
    const nameAt = text.indexOf('"', at);
    if (nameAt === -1) return members;
    const nameEnd = stringEnd(text, nameAt);
    const valueAt = text.indexOf(":", nameEnd) + 1;
    const end = valueEnd(text, valueAt);
    members.set(String(JSON.parse(text.slice(nameAt, nameEnd))), text.slice(valueAt, end).trim());
    if (text[end] !== ",") return members;
    at = end + 1;
  }
}

/** The place after the closing quote of the string that begins at `at`. */
function stringEnd(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === '"') return i + 1;
  }
  return text.length;
}

/** The place of the comma or brace after the value that begins at `at`. */
function valueEnd(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    const character = text[i];
    if (character === '"') i = stringEnd(text, i) - 1;
    else if (character === "{" || character === "[") depth++;
    else if (depth === 0 && (character === "," || character === "}")) return i;
    else if (character === "}" || character === "]") depth--;
  }
  return text.length;
}
