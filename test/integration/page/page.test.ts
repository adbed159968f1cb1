import { describe, expect, it } from "vitest";
import { authorityOf } from "../../../agent/page/page-server.ts";
import type { PageView } from "../../../agent/page/page-view.ts";
import { FakeClock } from "../../support/fakes/fake-clock.ts";
import { PageRig } from "../../support/page/page-rig.ts";
import { viewOf } from "../../support/page/page-views.ts";

describe.concurrent("the page", () => {
  it("goes by the name that a browser gives its address", () => {
    expect(authorityOf("127.0.0.1", 43_211)).toBe("127.0.0.1:43211");
    expect(authorityOf("127.0.0.1", 80)).toBe("127.0.0.1");
    expect(authorityOf("[::1]", 8_080)).toBe("[::1]:8080");
  });

  it("is in the language that is asked for, that was given, or that the browser prefers", async () => {
    await using rig = await PageRig.open({ language: undefined });
    await rig.enter();
    const page = async (query: string, preferred = "") =>
      (await rig.request("GET", `${rig.root}${query}`, { ...rig.own, "Accept-Language": preferred })).text;
    expect(await page("", "de-DE")).toContain('<html lang="zh-CN">');
    expect(await page("", "en-GB,zh;q=0.5")).toContain('<html lang="en">');
    expect(await page("?lang=en")).toContain("Face payment works");
    expect(await page("?lang=zh-CN", "en")).toContain("刷脸支付正常");
    const csrf = await rig.csrf();
    const pressed = await rig.request("POST", `${rig.root}diagnose`, ...rig.form({ csrf, lang: "en" }));
    expect(pressed.headers.get("location")).toBe(`${rig.root}?lang=en`);
  });

  it("presses a button at most as often as it is asked to, without waiting for what comes of it", async () => {
    await using rig = await PageRig.open();
    await rig.enter();
    const csrf = await rig.csrf();
    for (const name of ["refresh", "diagnose"]) {
      const answer = await rig.request("POST", `${rig.root}${name}`, ...rig.form({ csrf }));
      expect([answer.status, answer.headers.get("location")]).toEqual([303, `${rig.root}?lang=en`]);
    }
    expect(rig.pressed).toEqual(["refresh", "diagnose"]);
  });

  it("loads itself anew while something is under way, and only then", async () => {
    let view: PageView = viewOf("healthy", { diagnose: { running: true, outcome: undefined }, report: undefined });
    await using rig = await PageRig.open({ view: async () => view });
    await rig.enter();
    const page = async () => (await rig.request("GET", rig.root, rig.own)).text;
    const during = await page();
    expect(during).toContain('<meta http-equiv="refresh" content="3">');
    expect(during).toContain("<button disabled>Diagnose now");
    expect(during).not.toContain("Download the support bundle");
    view = viewOf("healthy");
    const after = await page();
    expect(after).not.toContain("http-equiv");
    expect(after).toContain("Download the support bundle");
  });

  it("hands the bundle over as a file, octet by octet, and says so when there is none yet", async () => {
    await using rig = await PageRig.open();
    await rig.enter();
    const { status, headers } = await rig.request("GET", `${rig.root}bundle`, rig.own);
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/gzip");
    expect(headers.get("content-disposition")).toBe('attachment; filename="facepay-T11M-TD7W.tar.gz"');
    await using early = await PageRig.open({ bundle: async () => undefined });
    await early.enter();
    const refused = await early.request("GET", `${early.root}bundle`, early.own);
    expect(refused.status).toBe(503);
    const why = { id: "bundle.secret", params: { name: "status.json", secret: "bearer token" } } as const;
    await using unsafe = await PageRig.open({ bundle: async () => ({ why }) });
    await unsafe.enter();
    const kept = await unsafe.request("GET", `${unsafe.root}bundle`, unsafe.own);
    expect([kept.status, kept.headers.get("content-disposition")]).toEqual([503, null]);
    expect(kept.text).toContain("a piece of a secret (bearer token) is in status.json");
    expect(refused.text).toContain("There is no bundle before diagnose has ended");
  });

  it("asks the agent once for those who look at the same time", async () => {
    let asked = 0;
    const view = async () => {
      asked++;
      return viewOf("healthy");
    };
    await using rig = await PageRig.open({ view });
    await rig.enter();
    const head = (more: string) =>
      `GET ${rig.root} HTTP/1.1\r\nHost: ${rig.authority}\r\nCookie: ${rig.cookie}\r\n${more}\r\n`;
    // In one piece, so that the second is there before the first has been answered.
    const answers = await rig.raw(head("") + head("Connection: close\r\n"));
    expect(answers.match(/^HTTP\/1\.1 200/gm)).toHaveLength(2);
    expect(asked).toBe(1);
  });

  it("ends ten minutes after its technician's last request; what others ask for does not keep it", async () => {
    const clock = new FakeClock();
    await using rig = await PageRig.open({ clock });
    const state = async () => await Promise.race([rig.server.ended, new Promise((r) => setImmediate(() => r("open")))]);
    await clock.advance(599_000);
    await rig.enter();
    await clock.advance(599_000);
    expect(await state()).toBe("open");
    expect((await rig.request("GET", rig.root, rig.own)).status).toBe(200);
    await clock.advance(300_000);
    for (const target of ["/", rig.root, rig.link]) await rig.request("GET", target);
    await clock.advance(299_000);
    expect(await state()).toBe("open");
    await clock.advance(1_000);
    expect(await state()).toBe("idle");
  });

  it("ends also when nobody ever uses the link, and leaves no timer behind", async () => {
    const clock = new FakeClock();
    const rig = await PageRig.open({ clock });
    await clock.advance(600_000);
    expect(await rig.server.ended).toBe("idle");
    await rig.server.close();
    expect(clock.sleeping).toBe(0);
  });
});
