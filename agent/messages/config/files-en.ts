import type { FileMessages } from "../../common/files/file-messages.ts";
import { shellWord } from "../../common/shell-word.ts";
import type { TextsOf } from "../same-texts.ts";

/** What is wrong with a file that the configuration names, said of its key, and what to do. */
const fileEn: TextsOf<FileMessages> = {
  "file.open_to_others": ({ file, mode }) => `names ${file}, whose mode ${mode} lets others in`,
  "file.close_to_others": ({ file }) => `Run:\n  chmod 0400 ${shellWord(file)}`,
  "file.missing": ({ file }) => `names ${file}, which does not exist`,
  "file.put_or_correct_path": "Put the file there, or correct the path.",
  "file.symbolic_link": ({ file }) => `names ${file}, a symbolic link`,
  "file.name_itself": ({ file }) => `Name the file itself, which this command shows:\n  readlink -f ${shellWord(file)}`,
  "file.forbidden": ({ file }) => `names ${file}, which this user may not read`,
  "file.give_to_service": ({ file }) =>
    `Give the file to the service's user:\n  chown facepay-agent ${shellWord(file)}`,
  "file.unreadable": ({ file, code }) => `names ${file}, which cannot be read (${code})`,
  "file.not_regular": ({ file }) => `names ${file}, which is not a regular file`,
  "file.look": ({ file }) => `Name a regular file. This command shows what is there:\n  ls -l ${shellWord(file)}`,
  "file.too_large": ({ file, most }) => `names ${file}, which is larger than ${most} bytes`,
  "file.put_right_one": "Put the right file there.",
  "file.empty": ({ file }) => `names ${file}, which is empty`,
  "file.put_again": "Put the file there again.",
  "trust.writable": ({ place, mode }) => `${place} has mode ${mode}: its group or others may change it`,
  "trust.close": ({ place }) => `Run:\n  chmod go-w ${shellWord(place)}`,
  "trust.owner": ({ place, uid }) => `${place} belongs to user ${uid}, which is neither root nor the service's user`,
  "trust.give": ({ place, owner }) => `Run:\n  chown ${owner} ${shellWord(place)}`,
  "trust.give_link": ({ place }) => `Run:\n  chown -h root ${shellWord(place)}`,
};

/** Keys and certificates. */
const secretEn = {
  "pem.encrypted": ({ file }: { readonly file: string }) => `names ${file}, a key that is encrypted with a password`,
  "pem.decrypt": ({ file }: { readonly file: string }) =>
    `Decrypt it, and name ${file}.plain:\n  (umask 077; openssl pkey -in ${shellWord(file)} -out ${shellWord(`${file}.plain`)})`,
  "pem.wrong_kind": ({
    file,
    found,
    wanted,
  }: {
    readonly file: string;
    readonly found: string;
    readonly wanted: string;
  }) => `names ${file}, which ${found}, not ${wanted}`,
  "pem.name_right_file": ({ usual }: { readonly usual: string }) => `Name the right file, usually ${usual}.`,
  "pem.is_no_pem": "is no PEM text",
  "pem.is_certificate": "is a certificate",
  "pem.is_private_key": "is a private key",
  "pem.is_public_key": "is a public key",
  "pem.is_something_else": "is something else",
  "pem.a_private_key": "a private key",
  "pem.wechatpays_public_key": "WeChat Pay's public key",
  "pem.a_certificate": "a certificate",
  "pem.damaged": ({ file }: { readonly file: string }) => `names ${file}, which is damaged and cannot be parsed`,
  "pem.unfit": ({ file, why }: { readonly file: string; readonly why: string }) => `names ${file}, ${why}`,
  "pem.unfit_certificate": ({ file, why }: { readonly file: string; readonly why: string }) =>
    `names ${file}, a certificate with a key that cannot be used, ${why}`,
  "pem.not_rsa": ({ kind }: { readonly kind: string }) => `which is an ${kind} key, not an RSA key`,
  "pem.too_short": ({ bits, least }: { readonly bits: number; readonly least: number }) =>
    `which is an RSA key of ${bits} bits, too short: at least ${least} are needed`,
  "pem.weak_curve": ({ curve }: { readonly curve: string }) =>
    `which is a key of the curve ${curve}, weaker than P-256`,
  "pem.curve_not_for_tls": ({ curve }: { readonly curve: string }) =>
    `which is a key of the curve ${curve}, which TLS cannot use`,
  "pem.kind_not_for_tls": ({ kind }: { readonly kind: string }) =>
    `which is a key of the kind ${kind}, which TLS cannot use`,
  "pem.own_public_half": ({ own }: { readonly own: string }) =>
    `which is the public half of ${own}, not WeChat Pay's public key`,
  "pem.new_pair":
    "Make a key of RSA 2048 bits or more, or of EC P-256, have a new certificate issued for it, and deploy both together.",
  "pem.new_merchant_key":
    "Make a new key and apply for a new API certificate with WeChat Pay's certificate tool; put its apiclient_key.pem there, and its serial number into merchant_serial_no.",
  "pem.name_merchant_key": "Name the apiclient_key.pem that WeChat Pay's certificate tool has made.",
  "pem.download_public_key": "Download WeChat Pay's public key from the merchant platform again.",
  "pem.download_both":
    "Download WeChat Pay's public key (pub_key.pem) from the merchant platform, under API security, and name it together with its public_key_id.",
  "pem.holds_private_key": ({ file }: { readonly file: string }) => `names ${file}, which holds a private key`,
  "pem.certificates_only": "Leave only the certificates in it; a key belongs in a file of its own.",
  "pem.expired": ({ file, day }: { readonly file: string; readonly day: string }) =>
    `names ${file}, which expired on ${day}`,
  "pem.not_yet_valid": ({ file }: { readonly file: string }) => `names ${file}, which is not valid yet`,
  "pem.expires_soon": ({ file, days }: { readonly file: string; readonly days: number }) =>
    `names ${file}, which expires in ${days} days`,
  "pem.check_clock": "Check this machine's clock.",
  "pem.renew_and_check_clock": ({ remedy }: { readonly remedy: string }) =>
    `${remedy} Check this machine's clock, too.`,
  "pem.ask_gateway": "Ask whoever runs the gateway for a new certificate.",
  "secret.other_key": ({ file }: { readonly file: string }) =>
    `names a key that does not belong to the certificate ${file}`,
  "secret.deploy_both": "Deploy certificate and key again, both together.",
  "secret.not_one_line": ({ file }: { readonly file: string }) =>
    `names ${file}, which holds more than one line or control characters`,
  "secret.write_one_line": "Write one line into it.",
  "secret.store_key_short": ({ file }: { readonly file: string }) => `names ${file}, which is too short for a key`,
  "secret.make_store_key": ({ file }: { readonly file: string }) =>
    `Make one:\n  (umask 077; head -c 32 /dev/urandom > ${shellWord(file)})`,
  "secret.token_characters": "names a file whose token holds a space or a character outside ASCII",
  "secret.token_alone": "Write the token alone into the file, without the word Bearer.",
  "secret.not_user_password": "names a file that does not hold user:password",
  "secret.write_user_password": "Write user:password into it, on one line.",
};

export const configFilesEn = { ...fileEn, ...secretEn };
