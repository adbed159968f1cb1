import { constants, open } from "node:fs/promises";
import { systemCode } from "../../common/errors.ts";
import { deviceId } from "../keys/schema.ts";
import type { Problem } from "../problem.ts";
import type { Settings } from "../settings.ts";

const KEY = "identity.device_id_file";
const MOST_OCTETS = 256;

/**
 * The device id out of a file, without the white space and NULs around it (/proc/device-tree ends in NUL). Files of /sys and
 * /proc tell no size, hence a bounded read.
 */
export async function readDeviceId(
  file: string,
  settings: Settings,
): Promise<{ readonly value?: string; readonly problems: readonly Problem[] }> {
  const origin = settings.get(KEY)?.origin ?? file;
  try {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MOST_OCTETS), 0, MOST_OCTETS, 0);
    const value = buffer.toString("latin1", 0, bytesRead).replace(/^[\s\0]+|[\s\0]+$/g, "");
    if (deviceId.pattern.test(value)) return { value, problems: [] };
    return {
      problems: [
        {
          key: KEY,
          origin,
          what: { id: "device_id_file.content", params: { file } },
          instead: { id: "device_id_file.must_hold", params: { expects: deviceId.expects } },
        },
      ],
    };
  } catch (error) {
    const code = systemCode(error) ?? "?";
    return {
      problems: [
        {
          key: KEY,
          origin,
          what: { id: "device_id_file.unreadable", params: { file, code } },
          instead: { id: "device_id_file.name_readable" },
        },
      ],
    };
  }
}
