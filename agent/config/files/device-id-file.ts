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
          what: { zh: `${file} 的内容不是设备号`, en: `names ${file}, which holds no device id` },
          instead: { zh: `内容应为${deviceId.zh}`, en: `it must hold ${deviceId.en} on one line` },
        },
      ],
    };
  } catch (error) {
    const code = systemCode(error) ?? "unknown error";
    return {
      problems: [
        {
          key: KEY,
          origin,
          what: { zh: `无法读取 ${file}（${code}）`, en: `names ${file}, which cannot be read (${code})` },
          instead: { zh: "请写可读的文件，或改写 device_id", en: "name a readable file, or write device_id itself" },
        },
      ],
    };
  }
}
