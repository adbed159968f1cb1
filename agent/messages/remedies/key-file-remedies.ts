import { shellWord } from "../../common/shell-word.ts";
import type { Remedy } from "./remedy.ts";

/** What to do about the key that seals the state, by the variant of KEY_FILE and its parameters (agent/store/store-key.ts). */
export function keyFileRemedy(params: Readonly<Record<string, unknown>>): Remedy | undefined {
  const { variant, file, mode, own } = params;
  if (variant === "refused") {
    return {
      zh: "请查看问题并处理该文件，之后服务会自动继续：\n  facepay-agent config check",
      en: "See what is wrong with the file, and fix it; the agent then continues by itself:\n  facepay-agent config check",
    };
  }
  if (typeof file !== "string") return undefined;
  switch (variant) {
    case "missing":
      return { zh: "请创建它，或改正 store.key_file。", en: "Create it or correct store.key_file.", edits: true };
    case "owner":
      return {
        zh: `请把属主改为服务用户：\n  chown facepay-agent ${shellWord(file)}`,
        en: `Give it to the service's user:\n  chown facepay-agent ${shellWord(file)}`,
      };
    case "storage":
      return { zh: "存储可能损坏，请检查或更换。", en: "Check the storage, it may be failing." };
    case "open_to_others":
      return { zh: `请执行：\n  chmod ${mode} ${shellWord(file)}`, en: `Run:\n  chmod ${mode} ${shellWord(file)}` };
    case "not_key":
    case "short":
      return own === true
        ? {
            zh: `请放回原密钥；已丢失时执行以下命令，服务会另建一个：\n  rm -r ${shellWord(file)}`,
            en: `Restore the former key or, if it is lost, remove the file; the agent creates a new one:\n  rm -r ${shellWord(file)}`,
          }
        : {
            zh: `请放回原密钥；已丢失时另建：\n  (umask 077; head -c 32 /dev/urandom > ${shellWord(file)})`,
            en: `Restore the former key or, if it is lost, make a new one:\n  (umask 077; head -c 32 /dev/urandom > ${shellWord(file)})`,
          };
    default:
      return undefined;
  }
}
