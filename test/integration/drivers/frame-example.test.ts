import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FrameDecoder } from "../../../drivers/line/frame.ts";
import { frame } from "../../../drivers/simulator/wire.ts";
import { missing } from "../../support/fixtures/tools.ts";

const root = path.resolve(import.meta.dirname, "../../..");
const source = path.join(root, "docs/examples/bridge/frame.c");

/** Sends back the payload of every frame that it finds in its input. */
const echo = `
#include <stdint.h>
#include <stddef.h>
#include <stdio.h>
#include "${source}"
static void put(uint8_t octet) { putchar(octet); }
static void back(const uint8_t *octets, size_t length) { send_frame(octets, length, put); }
int main(void) {
  for (int octet; (octet = getchar()) != EOF;) receive((uint8_t)octet, back);
  return 0;
}
`;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "facepay-frame-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe("docs/examples/bridge/frame.c", () => {
  it.each(["docs/bridge.md", "docs/bridge.zh-CN.md"])("is what %s prints", (page) => {
    expect(readFileSync(path.join(root, page), "utf8")).toContain(`\`\`\`c\n${readFileSync(source, "utf8")}\`\`\``);
  });

  it("reads and writes the agent's frames, and drops what is no frame", async ({ skip }) => {
    const reason = missing("cc");
    if (reason !== undefined) return skip(reason);
    const file = path.join(directory, "echo.c");
    await writeFile(file, echo);
    const program = path.join(directory, "echo");
    await promisify(execFile)("cc", ["-std=c99", "-Wall", "-Werror", "-o", program, file]);

    const every = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet));
    const payloads = [Buffer.from("{}"), every, Buffer.alloc(8192, 0x7e), Buffer.from([0x11])];
    const octets = Buffer.concat([
      Buffer.from("noise"),
      ...payloads.map((payload) => frame(payload)),
      frame("damaged", { damage: true }),
      Buffer.from([0x7e, 0x41, 0x7d, 0x7e]),
      frame(Buffer.alloc(8193, 0x41)),
      frame("last"),
    ]);
    const { stdout } = spawnSync(program, { input: octets });
    const found = new FrameDecoder().push(stdout).map((payload) => Buffer.from(payload).toString("hex"));
    expect(found).toEqual([...payloads, Buffer.from("last")].map((payload) => payload.toString("hex")));
  });
});
