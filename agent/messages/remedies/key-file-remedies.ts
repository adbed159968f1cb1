import type { Bilingual } from "../../common/language.ts";

/** What to do about the key that seals the state, by the variant of KEY_FILE and its parameters (agent/store/store-key.ts). */
export function keyFileRemedy(params: Readonly<Record<string, unknown>>): Bilingual | undefined {
  const { variant, file, mode, own } = params;
  if (variant === "refused") {
    return {
      zh: "请执行 facepay-agent config check，按提示处理该文件；处理后服务会自动继续。",
      en: "Run facepay-agent config check and fix the file as it says; the agent then goes on by itself.",
    };
  }
  if (typeof file !== "string") return undefined;
  switch (variant) {
    case "missing":
      return { zh: "请创建它，或改正 store.key_file。", en: "Create it or correct store.key_file." };
    case "owner":
      return {
        zh: `请改为服务用户所有：chown facepay-agent ${file}。`,
        en: `Give it to the agent's user: chown facepay-agent ${file}.`,
      };
    case "storage":
      return { zh: "存储可能损坏，请检查或更换。", en: "Check the storage, it may be failing." };
    case "open_to_others":
      return { zh: `请执行 chmod ${mode} ${file}。`, en: `Run chmod ${mode} ${file}.` };
    case "not_key":
    case "short":
      return own === true
        ? {
            zh: `请放回原密钥；已丢失时执行 rm -r ${file}，服务会另建一个。`,
            en: `Restore the former key or, if it is lost, run rm -r ${file}; the agent creates a new one.`,
          }
        : {
            zh: `请放回原密钥；已丢失时另建：umask 077; head -c 32 /dev/urandom > ${file}。`,
            en: `Restore the former key or, if it is lost, make a new one: umask 077; head -c 32 /dev/urandom > ${file}.`,
          };
    default:
      return undefined;
  }
}
