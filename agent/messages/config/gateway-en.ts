import { shellWord } from "../../common/shell-word.ts";

/** What is wrong with the configuration of the reference gateway, its register of devices and its revocation lists. */
export const gatewayConfigEn = {
  "gateway.crl_without_ca": "is given without ca_file",
  "gateway.write_ca": "Write ca_file, or remove crl_file.",
  "gateway.same_port": "is the same as listen.port",
  "gateway.another_port": "Write another one, such as port = 8444",
  "gateway.renew_server_certificate": "Renew the server's certificate.",
  "gateway.renew_terminal_ca": "Renew the authority of the terminals.",
  "gateway.ca_unparsable": "holds a certificate that cannot be parsed",
  "gateway.put_ca_again": "Put the file there again.",
  "register.not_json": "is not a JSON object",
  "register.same_as_earlier": "is the same as on an earlier line",
  "register.one_line_each": "Write one line for each terminal, and no credential for two.",
  "register.no_terminal": "holds no terminal",
  "register.example": ({ line }: { readonly line: string }) => `Write for example ${line}`,
  "register.unknown_field": "is not a field of the register",
  "register.nearest_field": ({ nearest }: { readonly nearest: string }) =>
    `The nearest is ${nearest}; correct it or remove it.`,
  "register.remove_field": "Remove it.",
  "register.missing": "is missing",
  "register.unfit": "does not fit",
  "register.must_be": ({ expects }: { readonly expects: string }) => `It must be ${expects}.`,
  "register.must_be_sha256": "It must be a SHA-256 in hexadecimal, or a list of them.",
  "register.given_with_sha256": "is given together with certificate_sha256",
  "register.keep_one": "Keep one of them.",
  "register.no_credential": "is missing, and so is a token",
  "register.certificate_without_ca": "asks for a certificate, but devices.ca_file is not set",
  "register.write_ca": "Write ca_file under [devices].",
  "register.common_name": "the CN of a certificate: 1 to 64 printable ASCII characters",
  "crl.damaged": ({ place }: { readonly place: string }) => `names ${place}, which is damaged and cannot be parsed`,
  "crl.foreign": ({ place, issuer }: { readonly place: string; readonly issuer: string }) =>
    `names ${place}, a list by ${issuer}, which is no authority in devices.ca_file or has another key there`,
  "crl.partial": ({ place }: { readonly place: string }) =>
    `names ${place}, which is no complete list: only changes, or only some of the certificates`,
  "crl.endless": ({ place }: { readonly place: string }) =>
    `names ${place}, a list without an end, which would never be out of date`,
  "crl.make_again_or_check_ca": "Make it again, or check ca_file:\n  openssl ca -gencrl",
  "crl.make_again": "Make it again:\n  openssl ca -gencrl",
  "crl.use_complete": "Use the authority's complete list.",
  "crl.no_list": ({ file }: { readonly file: string }) => `names ${file}, which holds no whole revocation list (PEM)`,
  "crl.authority_without_list": ({
    file,
    name,
    key,
  }: {
    readonly file: string;
    readonly name: string;
    readonly key: string;
  }) =>
    `names ${file}, which holds no list by the authority ${name} (SHA-256 of its key ${key}...): whether its certificates are revoked would be unknown`,
  "crl.add_list":
    "Add a list by that authority, an empty one if need be, or take the authority out of devices.ca_file.",
  "crl.issuer_missing": ({ name, issuer }: { readonly name: string; readonly issuer: string }) =>
    `cannot be judged: ${issuer}, which has issued the authority ${name} in devices.ca_file, is not in that file`,
  "crl.whole_chain":
    "Put every certificate up to the root into devices.ca_file, and a list by each into devices.crl_file.",
  "gateway.no_file": ({ file, example }: { readonly file: string; readonly example: string }) =>
    `There is no ${file}. Begin with the example:\n  cp ${shellWord(example)} ${shellWord(file)}`,
};
