import { isDeepStrictEqual } from "node:util";
import { redactSecrets } from "../../agent/common/log/redact.ts";
import { printable, SeenSecrets } from "../../agent/common/log/sanitize-untrusted.ts";
import type { BridgeIdentity } from "./driver.ts";

/** The secrets that the bridge has met and might say again: those that stay, and the last ones of the line. */
export class Heard {
  readonly #standing: () => readonly (string | undefined)[];
  readonly #last = new SeenSecrets();
  #former: { readonly said: BridgeIdentity; readonly shown: BridgeIdentity } | undefined;

  /** @param standing what it may know from long ago: the password, the authinfo that is held */
  constructor(standing: () => readonly (string | undefined)[]) {
    this.#standing = standing;
  }

  get all(): readonly string[] {
    return [...new Set([...this.#standing(), ...this.#last.all])].filter(
      (text) => text !== undefined && text !== "",
    ) as string[];
  }

  /** Of anything: a member of a request or an answer that may be missing. */
  add(secret: unknown): void {
    this.#last.add(secret);
  }

  /**
   * What the bridge says of itself, as it may be shown. Every thirty seconds the same words come again: those were looked at before
   * there was anything new to repeat.
   */
  tellable(said: BridgeIdentity): BridgeIdentity {
    if (!isDeepStrictEqual(said, this.#former?.said)) this.#former = { said, shown: this.#cleaned(said) };
    return this.#former?.shown ?? said;
  }

  /** Its device_id may be shown: WeChat Pay is told it, and a rawdata may hold it. */
  #cleaned(identity: BridgeIdentity): BridgeIdentity {
    const { protocol, deviceId, netId, sdkVersion } = identity;
    const known = { secret: this.all, open: deviceId === undefined ? [] : [deviceId] };
    const word = (text: string) => printable(redactSecrets(text, known));
    return {
      protocol,
      bridge: word(identity.bridge),
      session: word(identity.session),
      ...(deviceId !== undefined && { deviceId }),
      ...(netId !== undefined && { netId: word(netId) }),
      ...(sdkVersion !== undefined && { sdkVersion: word(sdkVersion) }),
    };
  }
}
