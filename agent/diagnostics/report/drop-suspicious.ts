/** What stands in a bundle where a secret stood. */
export const DROPPED = "[dropped]";

/** Forms and names of secrets. */
const SUSPICIOUS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, DROPPED],
  [/(\w+:\/\/)[^\s/@"']+@/g, `$1${DROPPED}@`],
  [/\b(Bearer|Basic) +[\w+/=.~-]{6,}/g, `$1 ${DROPPED}`],
  [
    /("?\b(?:authinfo|raw_?data|authorization|proxy[-_]authorization|bearer_?token|token|passwd|password|secret|private_?key)"?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|[^\s,"'{}[\]]+)/gi,
    `$1"${DROPPED}"`,
  ],
  [/(SetCredential(?:Encrypted)?=[^:\n]*:).*/g, `$1${DROPPED}`],
  // As long as nothing but a key, a signature or an authinfo is.
  [/[\w+/=-]{64,}/g, DROPPED],
];

/** The text without what has the form or the name of a secret, for secrets that could not be read to search for them. */
export function dropSuspicious(text: string): string {
  return SUSPICIOUS.reduce((left, [pattern, instead]) => left.replace(pattern, instead), text);
}
