import { chmodSync, chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { distrust, distrustedOnTheWay, distrustText } from "../../../agent/common/files/trust.ts";
import { textOf } from "../../../agent/messages/text-of.ts";

const DIRECTORY = 0o040000;
const FILE = 0o100000;
const LINK = 0o120000;
const owners = new Set([0, 990]);
const self = process.geteuid?.() ?? 0;

describe("what decides whom to trust", () => {
  it.each([
    [FILE | 0o644, 0, undefined],
    [FILE | 0o600, 990, undefined],
    [FILE | 0o664, 0, "writable"],
    [FILE | 0o620, 990, "writable"],
    [FILE | 0o602, 0, "writable"],
    [FILE | 0o1666, 0, "writable"],
    [FILE | 0o600, 1000, "owner"],
    [DIRECTORY | 0o755, 0, undefined],
    [DIRECTORY | 0o775, 0, "writable"],
    [DIRECTORY | 0o777, 990, "writable"],
    [DIRECTORY | 0o1777, 0, undefined],
    [DIRECTORY | 0o1777, 1000, "owner"],
    [LINK | 0o777, 0, undefined],
    [LINK | 0o777, 1000, "link_owner"],
  ])("mode %o of user %i: %s", (mode, uid, expected) => {
    expect(distrust({ mode, uid }, owners)).toBe(expected);
  });
});

describe("the way to a file", () => {
  let directory: string;
  const of = (...names: string[]) => path.join(directory, ...names);
  const found = (places: readonly string[], uid = self) =>
    distrustedOnTheWay(places, uid).map(({ place, why }) => `${path.relative(directory, place)} ${why}`);
  beforeEach(() => {
    directory = mkdtempSync(path.join(os.tmpdir(), "facepay-trust-"));
    for (const name of ["a", "a/b", "real", "real/deep"]) mkdirSync(of(name), { mode: 0o755 });
    for (const name of ["a/b/key", "real/deep/key"]) writeFileSync(of(name), "", { mode: 0o600 });
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it("is judged in every part, and each part told once", () => {
    expect(found([of("a/b/key")])).toEqual([]);
    chmodSync(of("a"), 0o775);
    chmodSync(of("a/b/key"), 0o606);
    expect(found([of("a/b/key"), of("a/b/missing"), of("a")])).toEqual(["a writable", "a/b/key writable"]);
    chmodSync(of("a"), 0o1777);
    expect(found([of("a/b/key")])).toEqual(["a/b/key writable"]);
  });

  it("is followed through links, whole or in part, up and around", () => {
    symlinkSync("../real", of("a/link"));
    symlinkSync(of("a/link/deep/key"), of("a/b/chain"));
    expect(found([of("a/b/chain")])).toEqual([]);
    chmodSync(of("real"), 0o757);
    expect(found([of("a/b/chain")])).toEqual(["real writable"]);
    symlinkSync("loop", of("a/loop"));
    expect(found([of("a/loop")])).toEqual([]);
  });

  it("ends where nothing is yet, having judged what is there", () => {
    chmodSync(of("real"), 0o777);
    expect(found([of("real/later/state")])).toEqual(["real writable"]);
  });

  it("belongs to root or the agent's user all along", ({ skip }) => {
    skip(self !== 0, "only root may give a file to another user");
    chownSync(of("a/b"), 1000, 1000);
    chownSync(of("a/b/key"), 990, 990);
    symlinkSync("b", of("a/link"));
    lchownSync(of("a/link"), 1001, 1001);
    expect(found([of("a/link/key")], 990)).toEqual(["a/link link_owner", "a/b owner"]);
    expect(found([of("a/b/key")], 1000)).toEqual(["a/b/key owner"]);
  });

  it("is told with the command that fixes it", () => {
    const facts = { uid: 1000, mode: 0o664, owner: "990" };
    const texts = (["writable", "owner", "link_owner"] as const).map((why) =>
      distrustText({ place: "/srv/my shop", why, ...facts }),
    );
    expect(texts.map(({ instead }) => textOf(instead))).toEqual([
      { zh: "请执行：\n  chmod go-w '/srv/my shop'", en: "Run:\n  chmod go-w '/srv/my shop'" },
      { zh: "请执行：\n  chown 990 '/srv/my shop'", en: "Run:\n  chown 990 '/srv/my shop'" },
      { zh: "请执行：\n  chown -h root '/srv/my shop'", en: "Run:\n  chown -h root '/srv/my shop'" },
    ]);
  });
});
