interface Amount {
  readonly amount: string;
}

/** What `facepay-agent support` tells of a support code. */
export const supportEn = {
  "support.code": "support code",
  "support.version": "agent version",
  "support.version_or_later": ({ version }: { readonly version: string }) => `${version} or later`,
  "support.state": "authinfo",
  "support.state_unknown": "not known",
  "support.state_not_running": "the agent was not running",
  "support.format_unknown": ({ format }: { readonly format: number }) =>
    `the code has format ${format}, of a later version: install that to read this line`,
  "support.device": "device id",
  "support.device_ends": ({ end }: { readonly end: string }) => `ends with ${end}`,
  "support.device_unknown": "not known",
  "support.cause": "first cause",
  "support.no_cause": "none: nothing had failed",
  "support.cause_unknown": ({ number }: { readonly number: number }) =>
    `a cause that this version does not know, number ${number}: ask a later version`,
  "support.cause_unlisted": "a cause that has no number: look at it on the terminal\n  facepay-agent status",
  "support.check": ({ number, id, title }: { readonly number: number; readonly id: string; readonly title: string }) =>
    `diagnose: [${number} ${id}] ${title}`,
  "support.lasted": "for",
  "support.lasted_unknown": "not known",
  "support.lasted_below": ({ amount }: Amount) => `less than ${amount}`,
  "support.lasted_between": ({ from, to }: { readonly from: string; readonly to: string }) => `${from} to ${to}`,
  "support.lasted_from": ({ amount }: Amount) => `${amount} or more`,
  "support.min": ({ n }: { readonly n: number }) => `${n} min`,
  "support.h": ({ n }: { readonly n: number }) => `${n} h`,
  "support.days": ({ n }: { readonly n: number }) => `${n} day(s)`,
  "support.what_to_do": "what to do",
  "support.with_gateway": ({ remedy }: { readonly remedy: string }) => `With a gateway: ${remedy}`,
  "support.without_gateway": ({ remedy }: { readonly remedy: string }) => `Without a gateway: ${remedy}`,
  "support.placeholders": "The code has no room for what stands in <>; facepay-agent status on the terminal tells it.",
  "support.fault_length": ({ characters }: { readonly characters: number }) =>
    `A support code has 12 letters and digits, here are ${characters}.`,
  "support.fault_character": ({ character }: { readonly character: string }) =>
    `${character} occurs in no support code; it has digits and the letters A to Z without I, L, O and U.`,
  "qr.ending": ({ file }: { readonly file: string }) => `--qr-file ${file}: the name has to end in .svg or .png`,
  "qr.watch": "--watch draws no QR code: leave --watch out",
  "qr.plain_console":
    "This console cannot draw a QR code. Write it into a file:\n  facepay-agent status --qr-file code.png",
  "qr.not_written": ({ file, errno }: { readonly file: string; readonly errno: string }) =>
    `cannot write ${file} (${errno}): choose a directory you may write to`,
  "qr.written": ({ file }: { readonly file: string }) => `QR code written to ${file}`,
  "support.line": ({ code }: { readonly code: string }) => `support code: ${code}`,
  "support.fault_mistyped":
    "This is no support code: a character is wrong, or two have changed places. Read it once more.",
};
