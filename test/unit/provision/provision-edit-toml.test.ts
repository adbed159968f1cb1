import { readFileSync } from "node:fs";
import { parse } from "smol-toml";
import { describe, expect, it } from "vitest";
import { type Changes, editToml } from "../../../agent/provision/edit-toml.ts";

const edit = (text: string, changes: Record<string, unknown>) =>
  editToml(text, new Map(Object.entries(changes)) as Changes, (key) => `about ${key}`);

describe("editing a configuration", () => {
  it("replaces a value and leaves comments, order and everything else as they were", () => {
    const text = '# mine\n[identity]\nsp_mchid = "1"   # the provider\nsub_mchid = "2"\n\n[log]\nlevel = "warn"\n';
    const { text: edited, rewritten } = edit(text, { "identity.sp_mchid": "1900000100" });
    expect(rewritten).toBe(false);
    expect(edited.split("\n").toSpliced(2, 1)).toEqual(text.split("\n").toSpliced(2, 1));
    expect(edited.split("\n")[2]).toMatch(/^sp_mchid = "1900000100" +# the provider$/);
  });

  it("adds a key to its section, and a section at the end, each with what it is about", () => {
    const { text } = edit('[identity]\nsp_mchid = "1"\n', { "identity.sub_mchid": "2", "wechatpay.mode": "gateway" });
    expect(parse(text)).toEqual({ identity: { sp_mchid: "1", sub_mchid: "2" }, wechatpay: { mode: "gateway" } });
    expect(text).toMatch(/^sub_mchid = "2" +# about identity\.sub_mchid$/m);
    expect(text).toMatch(/\n\n\[wechatpay\]\nmode = "gateway" +# about wechatpay\.mode\n$/);
  });

  it("begins with nothing", () => {
    const { text } = edit("", { "driver.type": "socket", "driver.path": "/run/b.sock" });
    expect(parse(text)).toEqual({ driver: { type: "socket", path: "/run/b.sock" } });
  });

  it("takes a key out, also one that is not there", () => {
    const { text } = edit('[a]\nb = "1"\nc = "2"\n', { "a.b": undefined, "a.x": undefined, "y.z": undefined });
    expect(text).toBe('[a]\nc = "2"\n');
  });

  it("replaces a list that goes on over several lines", () => {
    const { text, rewritten } = edit('[w]\nurls = [\n  "https://a", # one\n  "https://b",\n]\nnext = 1\n', {
      "w.urls": ["https://c"],
    });
    expect(rewritten).toBe(false);
    expect(parse(text)).toEqual({ w: { urls: ["https://c"], next: 1 } });
  });

  it("does not take a # inside a text for a comment", () => {
    const { text } = edit('[a]\nb = "x # y" # really\n', { "a.b": "z" });
    expect(text).toMatch(/^b = "z" +# really$/m);
  });

  it("puts a key beside the line that shows it behind a #", () => {
    const { text } = edit("[a]\n# b = 1   # shown\n# c = 2\n", { "a.b": 3 });
    expect(text).toBe("[a]\n# b = 1   # shown\nb = 3\n# c = 2\n");
  });

  it("writes a text anew that it cannot change line by line, with every other value kept", () => {
    const { text, rewritten } = edit('identity.sp_mchid = "1"\nidentity.other = "2"\n', { "identity.sp_mchid": "3" });
    expect(rewritten).toBe(true);
    expect(parse(text)).toEqual({ identity: { sp_mchid: "3", other: "2" } });
  });

  it("keeps the comments of the whole example, whatever is changed in it", () => {
    const example = readFileSync(new URL("../../../docs/config.example.toml", import.meta.url), "utf8");
    const { text, rewritten } = edit(example, {
      "identity.sp_mchid": "1",
      "identity.device_id": "SN",
      "wechatpay.base_urls": ["https://gateway.shop.example"],
      "wechatpay.bearer_token_file": undefined,
      "driver.baud_rate": 9600,
    });
    expect(rewritten).toBe(false);
    const comments = (of: string) => of.split("\n").filter((line) => line.startsWith("#"));
    expect(comments(text)).toEqual(comments(example));
    expect(parse(text)).toMatchObject({ identity: { device_id: "SN" }, driver: { baud_rate: 9600 } });
    expect(parse(text).wechatpay).not.toHaveProperty("bearer_token_file");
  });
});
