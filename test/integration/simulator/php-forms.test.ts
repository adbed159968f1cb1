import { spawn } from "node:child_process";
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { createPlayground } from "../../../agent/simulator/playground.ts";
import { startWechatPayServer } from "../../../agent/simulator/wechatpay-server.ts";
import { missingPhp } from "../../support/fixtures/tools.ts";

const script = path.resolve(import.meta.dirname, "../../support/children/php/six-forms.php");
const why = missingPhp("curl", "openssl");

describe("the simulated WeChat Pay", () => {
  it("accepts the six ways in which wechatpay-php asks for an authinfo", async ({ skip }) => {
    if (why !== undefined) return skip(why);
    const directory = await fs.mkdtemp(path.join(os.tmpdir(), "facepay-php-"));
    const playground = await createPlayground(directory);
    const { identity, merchant, platform, ca, platformPublicKeyPem } = playground;
    const server = await startWechatPayServer(playground.wechatPayOptions);
    try {
      const caFile = path.join(directory, "roots.pem");
      await fs.writeFile(caFile, ca.certPem);
      const fields = {
        sp_appid: identity.spAppid,
        sub_appid: identity.subAppid,
        sub_mchid: identity.subMchid,
        device_id: identity.deviceId,
        organization_id: identity.organizationId,
      };
      const keys = { key: merchant.privateKeyPem, platform_id: platform.keyId, platform_key: platformPublicKeyPem };
      const settings = {
        url: server.url,
        ca: caFile,
        mchid: identity.spMchid,
        serial: merchant.serialNo,
        ...keys,
        fields,
      };
      const php = spawn("php", [script], { stdio: ["pipe", "pipe", "inherit"] });
      php.stdin.end(JSON.stringify(settings));
      let said = "";
      for await (const text of php.stdout.setEncoding("utf8")) said += text;
      expect(said.trimEnd().split("\n")).toEqual(
        ["chained", "by path", "by key", "chained, later", "by path, later", "by key, later"].map(
          (form) => `${form}: 200 authinfo`,
        ),
      );
    } finally {
      await server.stop();
      await fs.rm(directory, { recursive: true });
    }
  });
});
