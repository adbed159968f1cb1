import { mkdir, writeFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Chromium, noChromium } from "../../support/page/chromium.ts";
import { PageRig } from "../../support/page/page-rig.ts";
import { type Scenario, scenarios, viewOf } from "../../support/page/page-views.ts";

/** With a folder in PAGE_PICTURES every page is also kept there as a picture, to be looked at. */
const pictures = process.env.PAGE_PICTURES;
let chromium: Chromium | undefined;

beforeAll(async () => {
  if (noChromium === undefined) chromium = await Chromium.open();
  if (pictures !== undefined) await mkdir(pictures, { recursive: true });
});
beforeEach(({ skip }) => {
  skip(noChromium !== undefined, noChromium);
});
afterAll(async () => {
  await chromium?.[Symbol.asyncDispose]();
});

async function tab() {
  if (chromium === undefined) throw new Error("no browser");
  return await chromium.tab();
}

const sizes = [
  [360, 740, "light"],
  [1_080, 1_920, "light"],
  [1_080, 1_920, "dark"],
] as const;

interface Seen {
  readonly width: number;
  readonly largest: string;
  readonly first: number;
  readonly smallest: number;
  readonly verdict: string;
  readonly contrast: number;
}

/** Sizes of letters, the width of what is laid out, and the least contrast of a text (WCAG 2.2, 1.4.3). */
const LOOK = `(() => {
  const size = (e) => parseFloat(getComputedStyle(e).fontSize);
  const own = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim() !== "");
  const texts = [...document.querySelectorAll("body *")].filter((e) => own(e) && e.checkVisibility());
  const rgb = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const background = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const [r, g, b, a = 1] = rgb(getComputedStyle(at).backgroundColor);
      if (a > 0) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const light = ([r, g, b]) => {
    const f = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b);
  };
  const contrast = (e) => {
    const [x, y] = [light(rgb(getComputedStyle(e).color)), light(background(e))];
    return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
  };
  const largest = texts.reduce((max, e) => (size(e) > size(max) ? e : max));
  const first = document.querySelector(".first");
  return {
    width: document.documentElement.scrollWidth,
    largest: largest.closest(".first") ? "first" : largest.tagName,
    first: first ? size(first) : 0,
    smallest: Math.min(...texts.map(size)),
    verdict: document.querySelector("h1").textContent,
    contrast: Math.min(...texts.filter((e) => !e.closest("button:disabled")).map(contrast)),
  };
})()`;

describe("the page of a terminal", () => {
  it("is to be read on a phone and on a kiosk, light and dark, in both languages, the remedy largest", async () => {
    let name: Scenario = "healthy";
    await using rig = await PageRig.open({ view: async () => viewOf(name) });
    const page = await tab();
    await page.go(rig.server.link);
    const address = await page.evaluate<string>("location.origin + location.pathname");
    for (name of Object.keys(scenarios) as Scenario[]) {
      for (const language of ["zh-CN", "en"]) {
        await page.go(`${address}?lang=${language}`);
        for (const [width, height, scheme] of sizes) {
          await page.size(width, height, scheme);
          const seen = await page.evaluate<Seen>(LOOK);
          const place = `${name}-${language}-${width}-${scheme}`;
          if (pictures !== undefined) await writeFile(path.join(pictures, `${place}.png`), await page.picture());
          expect(seen.width, place).toBeLessThanOrEqual(width);
          expect(seen.largest, place).toBe(name === "healthy" ? "H1" : "first");
          expect(seen.smallest, place).toBeGreaterThanOrEqual(12);
          expect(seen.contrast, place).toBeGreaterThanOrEqual(4.5);
          if (name !== "healthy") expect(seen.first, place).toBeGreaterThanOrEqual(width < 500 ? 20 : 40);
        }
      }
    }
  });
});

describe("in a browser", () => {
  it("the link works once, the buttons work without a script, and the language changes", async () => {
    await using rig = await PageRig.open();
    const [page, other] = [await tab(), await tab()];
    await page.go(rig.server.link);
    const address = await page.evaluate<string>("location.href");
    expect(address).not.toContain("/open/");
    expect(await page.evaluate("document.cookie")).toBe("");
    await page.loading(() => page.evaluate(`document.querySelector('form[action$="/refresh"] button').click()`));
    await page.loading(() => page.evaluate(`document.querySelector('form[action$="/diagnose"] button').click()`));
    expect(rig.pressed).toEqual(["refresh", "diagnose"]);
    await page.loading(() => page.evaluate("document.querySelector('nav a').click()"));
    expect(await page.evaluate("document.documentElement.lang")).toBe("zh-CN");
    await page.loading(() => page.evaluate(`document.querySelector('form[action$="/refresh"] button').click()`));
    expect(await page.evaluate("document.documentElement.lang")).toBe("zh-CN");
    // Another browser has neither link nor address.
    for (const url of [rig.server.link, address]) {
      await other.go(url);
      expect(await other.evaluate("document.querySelector('h1').textContent")).toBe("Refused (403)");
    }
  });

  it("a page of another port neither presses a button, nor reads or frames anything, nor is sent the cookie", async () => {
    await using rig = await PageRig.open();
    const page = await tab();
    await page.go(rig.server.link);
    const target = await page.evaluate<string>("location.origin + location.pathname");
    const csrf = await page.evaluate<string>("document.querySelector('[name=csrf]').value");
    const sent: (string | undefined)[] = [];
    // The worst case: it knows all of it but the cookie.
    const evil = http.createServer((req, res) => {
      sent.push(req.headers.cookie);
      res.setHeader("Content-Type", "text/html");
      const form = `<form method=post action="${target}refresh"><input name=csrf value="${csrf}"></form>`;
      res.end(`<!doctype html><title>evil</title>${form}<iframe src="${target}"></iframe>`);
    });
    await new Promise<void>((resolve) => evil.listen(0, "127.0.0.1", resolve));
    const place = `http://127.0.0.1:${(evil.address() as AddressInfo).port}`;
    try {
      await page.go(`${place}${new URL(target).pathname}`);
      const read = await page.evaluate(
        `fetch(${JSON.stringify(target)}, { credentials: "include" }).then((r) => r.text(), () => "refused")`,
      );
      expect(read).toBe("refused");
      expect(await page.evaluate("document.querySelector('iframe').contentDocument?.body?.textContent ?? ''")).toBe("");
      await page.loading(() => page.evaluate("document.querySelector('form').submit()"));
      expect(await page.evaluate("document.querySelector('h1').textContent")).toBe("Refused (403)");
      expect(rig.pressed).toEqual([]);
      // For the same path a browser does send it to another port: that path is what nobody else knows.
      await page.go(`${place}/`);
      expect(sent.at(-1)).toBeUndefined();
    } finally {
      evil.closeAllConnections();
      evil.close();
    }
  });
});
