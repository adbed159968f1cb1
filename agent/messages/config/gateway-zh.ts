import { shellWord } from "../../common/shell-word.ts";
import type { SameTexts } from "../same-texts.ts";
import type { gatewayConfigEn } from "./gateway-en.ts";

export const gatewayConfigZh: SameTexts<typeof gatewayConfigEn> = {
  "gateway.crl_without_ca": "写了吊销列表，但没有 ca_file",
  "gateway.write_ca": "请写 ca_file，或删除 crl_file。",
  "gateway.same_port": "与 listen.port 相同",
  "gateway.another_port": "请写另一个端口，例如 port = 8444",
  "gateway.renew_server_certificate": "请更换服务器证书。",
  "gateway.renew_terminal_ca": "请更换签发终端证书的 CA。",
  "gateway.ca_unparsable": "含有无法解析的证书",
  "gateway.put_ca_again": "请重新放入该文件。",
  "register.not_json": "不是 JSON 对象",
  "register.same_as_earlier": "与前面某一行相同",
  "register.one_line_each": "每台终端只写一行，凭据不能共用。",
  "register.no_terminal": "没有任何终端",
  "register.example": ({ line }) => `例如写 ${line}`,
  "register.unknown_field": "不是设备登记表的字段",
  "register.nearest_field": ({ nearest }) => `最接近的是 ${nearest}；请改正或删除。`,
  "register.remove_field": "请删除。",
  "register.missing": "缺少",
  "register.unfit": "格式不对",
  "register.must_be": ({ expects }) => `应为${/^[!-~]/.test(expects) ? " " : ""}${expects}。`,
  "register.must_be_sha256": "应为 SHA-256（64 位十六进制数），或其列表。",
  "register.given_with_sha256": "与 certificate_sha256 同时给出",
  "register.keep_one": "请只保留一个。",
  "register.no_credential": "缺少，也没有令牌",
  "register.certificate_without_ca": "需要证书，但配置中没有 devices.ca_file",
  "register.write_ca": "请在 [devices] 下写 ca_file。",
  "register.common_name": "证书的 CN，1 到 64 个可打印 ASCII 字符",
  "crl.damaged": ({ place }) => `${place} 已损坏，无法解析`,
  "crl.foreign": ({ place, issuer }) => `${place} 由 ${issuer} 签发，不是 devices.ca_file 中的 CA，或签名与其密钥不符`,
  "crl.partial": ({ place }) => `${place} 不是完整的吊销列表（增量列表，或只涉及部分证书）`,
  "crl.endless": ({ place }) => `${place} 没有下次更新时间，永远不会过时`,
  "crl.make_again_or_check_ca": "请重新生成，或核对 ca_file：\n  openssl ca -gencrl",
  "crl.make_again": "请重新生成：\n  openssl ca -gencrl",
  "crl.use_complete": "请使用 CA 的完整吊销列表。",
  "crl.no_list": ({ file }) => `${file} 中没有完整的吊销列表（PEM）`,
  "crl.authority_without_list": ({ file, name, key }) =>
    `${file} 中没有 CA ${name}（公钥 SHA-256 ${key}…）签发的吊销列表，无法判断其证书是否已吊销`,
  "crl.add_list": "请把该 CA 的吊销列表（可以为空）加入文件，或从 devices.ca_file 中删除该 CA。",
  "crl.issuer_missing": ({ name, issuer }) =>
    `devices.ca_file 中 CA ${name} 的签发者 ${issuer} 不在其中，无法判断该 CA 是否已被吊销`,
  "crl.whole_chain": "请把直到根 CA 的所有证书写入 devices.ca_file，并加入它们的吊销列表。",
  "gateway.no_file": ({ file, example }) =>
    `没有配置文件 ${file}。可从示例开始：\n  cp ${shellWord(example)} ${shellWord(file)}`,
};
