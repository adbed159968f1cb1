import type { Bilingual } from "../../common/language.ts";

/** What the technician does about a failure of the configuration and the keys, by the id of the check that looks for it (docs/operations/diagnose.md). */
export const configurationRemedies = {
  "cfg.valid": {
    zh: "请查看配置问题并按说明修改：\n  facepay-agent config check",
    en: "See what is wrong with the configuration, and fix it:\n  facepay-agent config check",
  },
  "cfg.perms": {
    zh: "配置文件权限过宽，请把权限改为 0640，属主改为 root。",
    en: "The configuration is too open; set its mode to 0640 and its owner to root.",
  },
  "cfg.mode": {
    zh: "当前为商户私钥直连，建议改用网关模式。",
    en: "The merchant's key is on this terminal; move to gateway mode.",
  },
  "cfg.identity": {
    zh: "设备SN与硬件不一致或缺失，请重新登记设备。",
    en: "The device id is missing or differs from the hardware; register the device again.",
  },
  "key.file": {
    zh: "密钥文件不可用或权限不安全，请把权限改为 0400，并核对属主。",
    en: "A key file is unusable or unsafe; set its mode to 0400 and check its owner.",
  },
  "key.match": {
    zh: "证书、序列号与私钥不匹配，请重新下发。",
    en: "Certificate, serial number and key do not fit; deploy them again together.",
  },
  "cert.expiry": {
    zh: "终端证书无效或即将到期，请联系总部更换。",
    en: "The client certificate is not accepted; request a new one.",
  },
  "cred.tpm": {
    zh: "密钥未绑定硬件，有 TPM 的设备建议改用 systemd-creds 加密。",
    en: "The keys are not bound to the hardware; where there is a TPM, encrypt them with systemd-creds.",
  },
} as const satisfies Readonly<Record<string, Bilingual>>;
