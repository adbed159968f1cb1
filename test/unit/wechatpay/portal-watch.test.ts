import { describe, expect, it } from "vitest";
import { systemClock } from "../../../agent/common/clock.ts";
import { AgentError } from "../../../agent/common/errors.ts";
import type { CaptivePortal } from "../../../agent/wechatpay/captive-portal.ts";
import { PortalWatch } from "../../../agent/wechatpay/portal-watch.ts";

const wechat = new URL("https://api.mch.weixin.qq.com");
const forever = new AbortController().signal;
const refused = () => new AgentError("PAY_CONNECT_REFUSED", {});

function watch(portal: CaptivePortal | undefined) {
  const asked: string[] = [];
  const portals = new PortalWatch((host) => {
    asked.push(host);
    return Promise.resolve(portal);
  }, systemClock());
  return { asked, portals };
}

describe("a login page behind failing HTTPS", () => {
  it("is the failure that is told, with where it leads", async () => {
    const { portals } = watch({ status: 302, host: "login.shop.example" });
    const told = await portals.explain(refused().with({ baseUrl: wechat.href }), wechat, forever);
    expect(told).toMatchObject({ code: "PAY_CAPTIVE_PORTAL", params: { at: "login.shop.example" } });
    expect(told.context).toMatchObject({ baseUrl: wechat.href });
  });

  it("is asked for once for each kind of failure, and anew after a success", async () => {
    const { asked, portals } = watch({ status: 200 });
    const untrusted = () => new AgentError("PAY_TLS_NAME", {});
    for (const failure of [refused(), refused(), untrusted(), untrusted()]) {
      expect((await portals.explain(failure, wechat, forever)).code).toBe("PAY_CAPTIVE_PORTAL");
    }
    expect(asked).toHaveLength(2);
    portals.worked();
    await portals.explain(untrusted(), wechat, forever);
    expect(asked).toHaveLength(3);
  });

  it("is not looked for where none can show: an answer, a number, a port of one's own", async () => {
    const { asked, portals } = watch({ status: 200 });
    const answered = new AgentError("PAY_UNAVAILABLE", { httpStatus: 503 });
    expect(await portals.explain(answered, wechat, forever)).toBe(answered);
    for (const url of ["https://10.0.0.1", "https://gateway.example:8443"]) {
      const failure = refused();
      expect(await portals.explain(failure, new URL(url), forever)).toBe(failure);
    }
    expect(asked).toEqual([]);
  });

  it("leaves the failure as it is when there is none, or the attempt is over", async () => {
    const failure = refused();
    expect(await watch(undefined).portals.explain(failure, wechat, forever)).toBe(failure);
    const over = AbortSignal.abort();
    const { portals } = watch({ status: 200 });
    expect(await portals.explain(failure, wechat, over)).toBe(failure);
    // Not seen in time is not known.
    expect((await portals.explain(failure, wechat, forever)).code).toBe("PAY_CAPTIVE_PORTAL");
  });
});
