import { describe, expect, it } from "vitest";
import { textOf } from "../../../agent/messages/text-of.ts";
import { judgePage } from "../../../agent/page/findings.ts";
import { html } from "../../../agent/page/html.ts";
import { MOST_PAGE_BYTES, renderPage } from "../../../agent/page/render-page.ts";
import { STYLE } from "../../../agent/page/style.ts";
import { reportOf, type Scenario, scenarios, viewOf } from "../../support/page/page-views.ts";

const addresses = { root: `/${"r".repeat(43)}/`, csrf: "c".repeat(43) };
const names = Object.keys(scenarios) as Scenario[];
const rendered = (view: ReturnType<typeof viewOf>, language: "zh" | "en") => renderPage(view, language, addresses).text;

describe("the template", () => {
  it("escapes every value, in elements and in attributes, and keeps what it has made itself", () => {
    const value = `<b a="1" b='2'>&amp;\u202e\u0000`;
    const inner = html`<i>${value}</i>`;
    expect(html`<p title="${value}">${[inner, 1, undefined, null, false]}</p>`.text).toBe(
      '<p title="&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;amp;\\u202e\\u0000"><i>&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;amp;\\u202e\\u0000</i>1</p>',
    );
  });
});

describe("the page", () => {
  const first: Readonly<Record<Scenario, readonly [string, RegExp, RegExp]>> = {
    healthy: ["good", /^$/, /^$/],
    due: ["warn", /TCP 443/, /TCP 443/],
    expired: ["bad", /TCP 443/, /TCP 443/],
    bridge_out: ["warn", /USB/, /USB/],
    refusing: ["bad", /总部/, /headquarters/],
    unprovisioned: ["bad", /facepay-agent provision/, /facepay-agent provision/],
  };

  it.each(names)("tells first what to do: %s", (name) => {
    const { tone, findings } = judgePage(viewOf(name));
    const [expected, zh, en] = first[name];
    const remedy = findings[0]?.remedy && textOf(findings[0].remedy);
    expect(tone).toBe(expected);
    expect(remedy?.zh ?? "").toMatch(zh);
    expect(remedy?.en ?? "").toMatch(en);
  });

  it.each(names)("holds every fact without a script, and no text of the other language: %s", (name) => {
    const [zh, en] = [rendered(viewOf(name), "zh"), rendered(viewOf(name), "en")];
    for (const text of [zh, en]) {
      expect(text).not.toMatch(/<script|\son\w+=|style="|href="http|undefined|\[object|NaN/);
      expect(text.match(/<h1>/g)).toHaveLength(1);
      // Remedy before state, state before the chart, the chart before the report.
      const order = ["verdict", "<dl>", "<svg", "T11M-TD7W"].map((mark) => text.indexOf(mark));
      expect(order).toEqual(order.toSorted((one, other) => one - other));
      expect(order).not.toContain(-1);
    }
    // What WeChat Pay says is quoted as it came.
    const own = en
      .replaceAll("商户号该产品权限未开通，请前往商户平台&gt;产品中心检查后重试", "")
      .replaceAll("中文", "")
      .replace(STYLE, "");
    expect(own).not.toMatch(/[\u4e00-\u9fff]/);
    expect(zh).toMatch(/<html lang="zh-CN">/);
  });

  it("tells the support code, of the agent or else of the report", () => {
    const { look } = viewOf("expired");
    if (look.kind !== "running") throw new Error("not running");
    const status = { ...look.status, support_code: "7KQ2-<B>-XYZ0" };
    const told = rendered(viewOf("expired", { look: { ...look, status } }), "en");
    expect(told).toContain("<b>7KQ2-&lt;B&gt;-XYZ0</b>");
    expect(told).not.toContain("1YPB-2M43-GN84");
    expect(rendered(viewOf("expired"), "zh")).toMatch(/支持码[^<]*<\/span> <b>1YPB-2M43-GN84<\/b>/);
    // Nothing is wrong: nobody has to be told anything.
    expect(rendered(viewOf("healthy"), "en")).not.toContain("1YPB-2M43-GN84");
  });

  it("tells in words what the chart tells in colours", () => {
    const text = rendered(viewOf("bridge_out"), "en");
    expect(text).toMatch(/Renewals: 65 done \(above\), 58 failed \(below\)/);
    expect(text).toMatch(/Bridge: 4 outage\(s\), 28 min 0 s in all/);
    expect(text).toMatch(/without a valid authinfo: 15 min 0 s/);
    expect(text).toMatch(/Cashier app: read 900 time\(s\)/);
    expect(text).toMatch(/bridge not ready for 25 min 0 s BRIDGE_NOT_FOUND/);
  });

  it("tells that the agent is down, how to start it, and what diagnose has found", () => {
    const words = { id: "unreachable.stopped", params: { command: "systemctl start facepay-agent" } } as const;
    const report = reportOf([
      {
        id: "cfg.valid",
        status: "fail",
        detail: { zh: "配置有误", en: "the file is wrong" },
        remedy: { zh: "请改正", en: "correct it" },
      },
    ]);
    const view = viewOf("healthy", { look: { kind: "unreachable", words, facts: [] }, report });
    const { tone, findings } = judgePage(view);
    expect([tone, findings.length]).toEqual(["bad", 1]);
    const text = rendered(view, "en");
    expect(text).toContain("<pre>systemctl start facepay-agent</pre>");
    expect(text).toContain("the file is wrong");
    expect(text).toContain("Known only while the agent runs.");
    expect(text).not.toContain("/refresh");
  });

  it("gives what only diagnose has found its place after what stops the payments", () => {
    const report = reportOf([
      {
        id: "disk.free",
        status: "fail",
        detail: { zh: "磁盘已满", en: "the disk is full" },
        remedy: { zh: "请清理", en: "make room" },
      },
    ]);
    const healthy = judgePage(viewOf("healthy", { report }));
    expect([healthy.tone, textOf(healthy.findings[0]?.remedy ?? { zh: "", en: "" }).en]).toEqual(["warn", "make room"]);
    const expired = judgePage(viewOf("expired", { report }));
    expect(expired.findings.map(({ what }) => textOf(what).en.split(" ")[0])).toEqual([
      "PAY_CONNECT_TIMEOUT",
      "Diagnose",
    ]);
  });

  it("is at most 60 KB, whatever diagnose has found", () => {
    const long = "<很长的说明>".repeat(400);
    const fails = Array.from(
      { length: 60 },
      () => ({ status: "fail", detail: { zh: long, en: long }, remedy: { zh: long, en: long } }) as const,
    );
    for (const report of [reportOf([]), reportOf(fails.slice(0, 8)), reportOf([], 400), reportOf(fails, 400)]) {
      for (const name of names) {
        for (const language of ["zh", "en"] as const) {
          const page = renderPage(viewOf(name, { report }), language, addresses);
          expect(page.bytes).toBeLessThanOrEqual(MOST_PAGE_BYTES);
          expect(page.text.endsWith("</body></html>\n")).toBe(true);
        }
      }
    }
    expect(rendered(viewOf("healthy", { report: reportOf(fails, 400) }), "en")).toContain("the bundle has it all");
  });

  it("shows nothing in larger letters than the first remedy", () => {
    const sizes = [...STYLE.matchAll(/([^{}]+)\{[^{}]*?font-size:clamp\([^,]+,[^,]+,([\d.]+)rem\)/g)];
    const others = [...STYLE.matchAll(/font-size:([\d.]+)(?:rem|em)/g)].map(([, size]) => Number(size));
    const remedy = Number(sizes.find(([, selector]) => selector === ".first")?.[2]);
    expect(remedy).toBeGreaterThan(2);
    for (const [, , size] of sizes) expect(Number(size)).toBeLessThanOrEqual(remedy);
    for (const size of others) expect(size).toBeLessThan(1.4);
  });
});
