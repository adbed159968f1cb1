import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { deriveKey, LARGEST_ENVELOPE, open, seal } from "../../../agent/store/envelope.ts";

const key = deriveKey(Buffer.alloc(32, 7));
const header = { identity: "ab".repeat(32), device_id: "device-1", generation: 5, seq: 9 };
const content = Buffer.from(JSON.stringify({ format: 1, secret: "the authinfo ".repeat(20) }));
const iv = Buffer.alloc(12, 3);
const envelope = seal(content, key, header, iv);

describe("a sealed envelope", () => {
  it("opens with its key to what was put in", () => {
    const opened = open(envelope, key);
    expect(opened).toEqual({ ok: true, header: { ...header, key_id: key.id }, content });
  });

  it("hides the content and shows the header", () => {
    expect(envelope.includes("authinfo")).toBe(false);
    expect(envelope.includes('"device_id":"device-1"')).toBe(true);
  });

  it("refuses every single flipped bit", () => {
    let refused = 0;
    for (let bit = 0; bit < envelope.length * 8; bit++) {
      const damaged = Buffer.from(envelope);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if (!open(damaged, key).ok) refused++;
    }
    expect(refused).toBe(envelope.length * 8);
  });

  it("refuses every truncation and every addition", () => {
    for (let length = 0; length < envelope.length; length++) {
      expect(open(envelope.subarray(0, length), key).ok, `cut to ${length}`).toBe(false);
    }
    expect(open(Buffer.concat([envelope, Buffer.alloc(1)]), key).ok).toBe(false);
  });

  it.each([0x00, 0xff])("refuses nothing but %i", (octet) => {
    expect(open(Buffer.alloc(envelope.length, octet), key)).toEqual({ ok: false, reason: "not_sealed" });
  });

  it("refuses another file's header", () => {
    const other = seal(content, key, { ...header, device_id: "device-2" }, iv);
    const at = envelope.indexOf("device-1");
    const exchanged = Buffer.from(envelope);
    other.copy(exchanged, at, at, at + "device-1".length);
    expect(open(exchanged, key)).toMatchObject({ ok: false, reason: "tampered" });
  });

  it("tells another key from damage and still shows the header as a hint", () => {
    const opened = open(envelope, deriveKey(Buffer.alloc(32, 8)));
    expect(opened).toMatchObject({ ok: false, reason: "other_key", header: { generation: 5 } });
  });

  it("names an unknown format version", () => {
    const later = Buffer.from(envelope);
    later.writeUInt8(2, 8);
    expect(open(later, key)).toEqual({ ok: false, reason: "format_version" });
  });

  it("is never longer than the cap, in either direction", () => {
    expect(() => seal(randomBytes(LARGEST_ENVELOPE), key, header, iv)).toThrow(RangeError);
    expect(open(Buffer.alloc(LARGEST_ENVELOPE + 1), key)).toEqual({ ok: false, reason: "too_long" });
  });

  it("has a key id that says nothing of the key and differs with it", () => {
    expect(key.id).toMatch(/^[0-9a-f]{16}$/);
    expect(key.key.export().toString("hex")).not.toContain(key.id);
    expect(deriveKey(Buffer.alloc(32, 8)).id).not.toBe(key.id);
  });
});
