import type { Bilingual } from "../../agent/common/language.ts";
import type { checkRemedy } from "../../agent/messages/remedies/remedies.ts";

type CheckId = Parameters<typeof checkRemedy>[0];

/** What the operator is told about an alert: what it means, what to look at, and whose remedies may help, likeliest first. */
export interface RunbookEntry {
  readonly meaning: Bilingual;
  /** For Prometheus. */
  readonly look?: string;
  readonly remedies: readonly CheckId[];
  /** Where no check of the terminal has the remedy. */
  readonly steps?: Bilingual;
}

/** By alert of docs/fleet/rules.yml; a test compares them. */
export const runbook: Readonly<Record<string, RunbookEntry>> = {
  FacepayTerminalDead: {
    meaning: {
      en: "The broker has lost the terminal: no power, no network, or the agent does not run.",
      zh: "MQTT 服务器与终端失去联系：断电、断网，或服务没有运行。",
    },
    look: 'facepay_fleet_online{device="..."}',
    remedies: ["net.link", "svc.running", "tel.broker"],
  },
  FacepayManyTerminalsDead: {
    meaning: {
      en: "So many terminals at once are one fault: the broker, its certificate, or the network of a site.",
      zh: "大量终端同时离线通常是同一个故障：MQTT 服务器、其证书，或商场的网络。",
    },
    look: "count by (sp_mchid) (facepay_fleet_online == 0)",
    remedies: ["tel.broker"],
    steps: {
      en: "See whether the broker runs and when its certificate ends:\n\n```sh\nsystemctl status mosquitto\nopenssl x509 -noout -enddate -in /etc/mosquitto/facepay/server.pem\n```",
      zh: "查看 MQTT 服务器是否运行，以及其证书何时到期：\n\n```sh\nsystemctl status mosquitto\nopenssl x509 -noout -enddate -in /etc/mosquitto/facepay/server.pem\n```",
    },
  },
  FacepayNoAuthinfo: {
    meaning: {
      en: "The terminal has no valid authinfo: customers cannot pay by face. `last_error` tells where to look.",
      zh: "终端没有有效的刷脸凭证，顾客无法刷脸支付。`last_error` 指出问题所在。",
    },
    look: 'facepay_fleet_last_error{device="..."}',
    remedies: ["pay.authinfo", "pay.reach", "pay.auth", "ser.handshake"],
  },
  FacepayAuthinfoEndsSoon: {
    meaning: {
      en: "No renewal has succeeded for most of the authinfo's life. It still works, for less than ten minutes.",
      zh: "凭证在其大部分有效期内都没能更新。目前仍可用，但不足十分钟。",
    },
    look: 'facepay_fleet_last_error{device="..."}',
    remedies: ["pay.reach", "net.dns", "pay.auth"],
  },
  FacepayRenewalFailing: {
    meaning: {
      en: "Renewals have failed for ten minutes; the authinfo in hand is still good.",
      zh: "凭证更新已连续失败十分钟；现有凭证仍有效。",
    },
    look: 'facepay_fleet_failures{device="..."}',
    remedies: ["pay.reach", "net.link", "pay.auth"],
  },
  FacepayBridgeAway: {
    meaning: {
      en: "The face module does not answer on its line.",
      zh: "刷脸模组在其线路上没有应答。",
    },
    look: 'facepay_fleet_bridge_ready{device="..."}',
    remedies: ["ser.present", "ser.handshake", "ser.usb_resets"],
  },
  FacepayRejectedOften: {
    meaning: {
      en: "The SDK keeps refusing authinfos that WeChat Pay has just issued.",
      zh: "SDK 一再拒绝微信支付刚签发的凭证。",
    },
    look: 'increase(facepay_fleet_rejected_total{device="..."}[1h])',
    remedies: ["cfg.identity", "ser.device_data"],
  },
  FacepayClockWrong: {
    meaning: {
      en: "The terminal's clock is off; beyond five minutes WeChat Pay refuses everything.",
      zh: "终端时钟有偏差；超过五分钟时微信支付将拒绝所有请求。",
    },
    look: 'facepay_fleet_skew_seconds{device="..."}',
    remedies: ["time.synced", "time.offset", "time.rtc"],
  },
  FacepayCertificateEnds: {
    meaning: {
      en: "After that the gateway and the broker no longer let the terminal in.",
      zh: "到期后网关和 MQTT 服务器都不再接受该终端。",
    },
    look: "sort(facepay_fleet_client_certificate_expires_timestamp_seconds - time())",
    remedies: ["cert.expiry"],
  },
  FacepayDiskRefuses: {
    meaning: {
      en: "The authinfo lives in memory only: a power cut would lose it.",
      zh: "凭证只在内存中，断电后会丢失。",
    },
    look: 'facepay_fleet_disk_free_megabytes{device="..."}',
    remedies: ["store.write", "disk.free", "disk.readonly"],
  },
  FacepayOldVersion: {
    meaning: {
      en: "The terminal did not take part in the last update.",
      zh: "终端没有参与最近一次升级。",
    },
    look: "facepay_fleet_version_number < on () group_left () facepay_fleet:newest_version",
    remedies: ["pkg.integrity"],
    steps: {
      en: "Update the package on the terminal, as for the others.",
      zh: "请在该终端上升级软件包，与其他终端一致。",
    },
  },
  FacepayConfigurationRefused: {
    meaning: {
      en: "A configuration that was rolled out is invalid there; the last valid one is at work.",
      zh: "下发的配置在该终端上无效，仍使用上一次有效的配置。",
    },
    look: "facepay_fleet_config_refused == 1",
    remedies: ["cfg.valid", "cfg.perms", "key.file"],
  },
  FacepayLowMemory: {
    meaning: {
      en: "Another program of the terminal takes its memory.",
      zh: "终端上的其他程序占用了内存。",
    },
    look: 'facepay_fleet_memory_available_megabytes{device="..."}',
    remedies: ["mem.free"],
  },
  FacepayTelemetrySilent: {
    meaning: {
      en: "Nothing at all comes through the broker: it is down, or the exporter has lost it.",
      zh: "MQTT 服务器没有任何消息：服务器停止，或导出程序与其断开。",
    },
    look: "sum(increase(received_messages[30m]))",
    remedies: [],
    steps: {
      en: "Listen for yourself; each terminal shows up within 15 minutes:\n\n```sh\nmosquitto_sub -v -t 'facepay/v1/#'\nsystemctl restart prometheus-mqtt-exporter\n```",
      zh: "自行订阅查看；每台终端 15 分钟内至少上报一次：\n\n```sh\nmosquitto_sub -v -t 'facepay/v1/#'\nsystemctl restart prometheus-mqtt-exporter\n```",
    },
  },
  FacepayExporterDown: {
    meaning: {
      en: "Prometheus sees no terminal: the exporter does not answer.",
      zh: "导出程序无应答，Prometheus 看不到任何终端。",
    },
    remedies: [],
    steps: {
      en: "```sh\nsystemctl status prometheus-mqtt-exporter\n```",
      zh: "```sh\nsystemctl status prometheus-mqtt-exporter\n```",
    },
  },
  FacepayGatewayDown: {
    meaning: {
      en: "A gateway does not answer. Terminals go to the next one in `base_urls`; with the last one their authinfos run out.",
      zh: "商户网关无应答。终端会改用 `base_urls` 中的下一个；全部停止后凭证将陆续到期。",
    },
    look: 'up{job="facepay-gateway"}',
    remedies: [],
    steps: {
      en: "On the gateway's machine:\n\n```sh\nsystemctl status facepay-gateway\nfacepay-agent gateway --check-config\n```",
      zh: "在网关所在机器上：\n\n```sh\nsystemctl status facepay-gateway\nfacepay-agent gateway --check-config\n```",
    },
  },
  FacepayWeChatPayLimits: {
    meaning: {
      en: "WeChat Pay answers 429: the fleet asks more than the merchant's rate allows, or all at once.",
      zh: "微信支付返回 429：请求超过商户限额，或过于集中。",
    },
    look: 'sum(rate(facepay_gateway_upstream_requests_total{outcome="pay_rate_limited"}[5m]))',
    remedies: ["pay.reach"],
    steps: {
      en: "Spread the renewals with `[fleet] refresh_seconds` of the gateway, or ask WeChat Pay for a higher rate.",
      zh: "可用网关的 `[fleet] refresh_seconds` 分散更新，或向微信支付申请更高的限额。",
    },
  },
  FacepayWeChatPayFailing: {
    meaning: {
      en: "Most requests of a gateway to WeChat Pay fail.",
      zh: "网关发往微信支付的请求大多失败。",
    },
    look: "sum by (outcome) (rate(facepay_gateway_upstream_requests_total[5m]))",
    remedies: ["pay.reach", "net.dns", "pay.auth"],
  },
  FacepayGatewayWarning: {
    meaning: {
      en: "The gateway says what is wrong: a register or a certificate that was refused, or one that ends.",
      zh: "网关给出了原因：设备登记表或证书被拒绝，或即将到期。",
    },
    remedies: [],
    steps: {
      en: "```sh\ncurl -s http://127.0.0.1:8444/readyz\n```",
      zh: "```sh\ncurl -s http://127.0.0.1:8444/readyz\n```",
    },
  },
};
