/** What is wrong with one value, with its source or with its syntax: said of the key or the file, and what to write instead. */
export const configValuesEn = {
  "url.not_text": ({ entry }: { readonly entry: number }) => `entry ${entry} is not text`,
  "url.not_url": ({ entry }: { readonly entry: number }) => `entry ${entry} is not a URL`,
  "url.not_https": ({ entry }: { readonly entry: number }) => `entry ${entry} does not begin with https://`,
  "url.has_credentials": ({ entry }: { readonly entry: number }) => `entry ${entry} holds a user name or password`,
  "url.take_credentials_out":
    "Take it out of the URL; credentials belong in the files named by bearer_token_file or client_cert_file.",
  "url.has_query": ({ entry }: { readonly entry: number }) => `entry ${entry} holds a ? or #`,
  "url.twice": ({ entry }: { readonly entry: number }) => `names the same URL twice (entry ${entry})`,
  "proxy.has_credentials": "holds the user name or password of the proxy",
  "proxy.credentials_into_file":
    "Write http://host:port, and user:password into the file named by wechatpay.proxy_auth_file (mode 0400).",
  "proxy.form": "does not have the form http://host:port",
  "proxy.write_key": 'Write proxy = "http://host:port".',
  "proxy.write_variable": "Write http://host:port, unset the variable, or set wechatpay.proxy.",
  "proxy.auth_unused": "has no effect: there is no proxy",
  "proxy.write_key_or_remove": 'Write proxy = "http://host:port", or remove this key.',
  "environment.no_verification": "turns off the verification of certificates",
  "environment.use_ca_file": ({ name }: { readonly name: string }) =>
    `Unset it; for a root certificate of your own use wechatpay.ca_file:\n  unset ${name}`,
  "environment.writes_tls_keys": "writes the keys of TLS connections to a file",
  "environment.unset": ({ name }: { readonly name: string }) => `Unset it:\n  unset ${name}`,
  "environment.option": ({ option, harm }: { readonly option: string; readonly harm: string }) =>
    `holds ${option}, which ${harm}`,
  "environment.remove_from_variable": ({ option, name }: { readonly option: string; readonly name: string }) =>
    `Remove ${option} from ${name}.`,
  "environment.remove_from_command": ({ option }: { readonly option: string }) =>
    `Remove ${option} from node's command line.`,
  "environment.harm_debugger": "opens a debugger, through which anyone may read the keys",
  "environment.harm_keylog": "writes the keys of every TLS connection to a file",
  "environment.harm_trace": "writes the content of TLS connections to the log",
  "environment.harm_old_tls": "allows outdated versions of TLS",
  "environment.harm_http_parser": "loosens the checks of the HTTP parser",
  "environment.harm_revert": "takes back a security fix",
  "environment.harm_heap": "writes the memory, keys included, to a file",
  "setting.not_table": "must be a table",
  "setting.write_table": ({ name }: { readonly name: string }) =>
    `Write [${name}] on a line of its own, its keys below.`,
  "setting.list_in_variable": "is a list, which an environment variable cannot hold",
  "setting.write_drop_in": "Write it into a file in config.d.",
  "setting.unknown_key": "is not a configuration key",
  "setting.nearest_key": ({ nearest }: { readonly nearest: string }) =>
    `The nearest configuration key is ${nearest}; correct it or remove it.`,
  "setting.remove_key": "Remove it; this command lists the keys that there are:\n  facepay-agent config schema",
  "setting.unknown_variable": "is not an environment variable of this configuration",
  "setting.nearest_variable": ({ nearest, name }: { readonly nearest: string; readonly name: string }) =>
    `The nearest is ${nearest}; correct it, or unset it:\n  unset ${name}`,
  "setting.password_as_value": "gives a password as a value; secrets are only named by file",
  "setting.password_into_file": 'Put the password into a file of mode 0400 and write passwd_file = "that file".',
  "value.example": ({ example }: { readonly example: string }) => `Write for example ${example}`,
  "value.missing": ({ about }: { readonly about: string }) => `is missing (${about})`,
  "value.write_under": ({ line, section }: { readonly line: string; readonly section: string }) =>
    `Write under [${section}]: ${line}`,
  "value.unfit": ({ expects }: { readonly expects: string }) => `does not fit: it must be ${expects}`,
  "value.empty": ({ expects }: { readonly expects: string }) => `is empty: it must be ${expects}`,
  "value.is": ({ shown, expects }: { readonly shown: string; readonly expects: string }) =>
    `is ${shown}: it must be ${expects}`,
  "value.wrong_kind": ({ kind, expects }: { readonly kind: string; readonly expects: string }) =>
    `is ${kind}: it must be ${expects}`,
  "value.bare_number": "is a bare number: it must be text",
  "value.quote": ({ value }: { readonly value: string }) => `Put it in quotes: "${value}"`,
  "value.kind_text": "text",
  "value.kind_number": "a number",
  "value.kind_boolean": "true or false",
  "value.kind_list": "a list",
  "value.kind_date": "a date",
  "value.kind_table": "a table",
  "value.path": "the path of a file",
  "value.content_itself": "holds the content itself, not the path of a file",
  "value.control_characters": "is a path with control characters",
  "value.tilde": "begins with ~, which is not expanded",
  "value.integer": ({ least, most }: { readonly least: number; readonly most: number }) =>
    `a whole number from ${least} to ${most}`,
  "value.fraction": "a number above 0 and below 1",
  "value.boolean": "true or false",
  "value.choices": ({ values }: { readonly values: readonly string[] }) =>
    `a list out of ${values.join(", ")}, or an empty one`,
  "value.choice": ({ values }: { readonly values: readonly string[] }) => values.join(" or "),
  "value.mode": 'octal permission bits in quotes, such as "0660"',
  "value.urls": "a list of 1 to 8 https URLs",
  "value.json": "text, a number, true or false, a list or a table",
  "serial.more": "holds more than the 40 hexadecimal digits, such as serial=, colons or blanks",
  "serial.decimal": ({ digits }: { readonly digits: number }) =>
    `is a decimal number of ${digits} digits: it must be 40 hexadecimal digits`,
  "serial.digits": ({ digits }: { readonly digits: number }) =>
    `has ${digits} digits: it must be 40 hexadecimal digits`,
  "serial.unfit": "does not fit: it must be 40 hexadecimal digits",
  "serial.read": ({ command }: { readonly command: string }) =>
    `Read it from the merchant API certificate, and write what stands behind the =:\n  ${command}`,
  "serial.write": ({ meant, command }: { readonly meant: string; readonly command: string }) =>
    `Write "${meant}". To check it:\n  ${command}`,
  "group.absent": ({ group }: { readonly group: string }) => `names the group ${group}, which does not exist`,
  "group.create": ({ group }: { readonly group: string }) =>
    `Name a group that exists, or create this one:\n  groupadd --system ${group}`,
  "device_id_file.content": ({ file }: { readonly file: string }) => `names ${file}, which holds no device id`,
  "device_id_file.must_hold": ({ expects }: { readonly expects: string }) => `It must hold ${expects} on one line.`,
  "device_id_file.unreadable": ({ file, code }: { readonly file: string; readonly code: string }) =>
    `names ${file}, which cannot be read (${code})`,
  "device_id_file.name_readable": "Name a readable file, or write device_id itself.",
  "source.unreadable": ({ code }: { readonly code: string }) => `cannot be read (${code})`,
  "source.file_command": ({ command }: { readonly command: string }) =>
    `It must be a regular file that the service's user may read:\n  ${command}`,
  "source.directory_command": ({ command }: { readonly command: string }) =>
    `It must be a directory that the service's user may read:\n  ${command}`,
  "source.not_utf8": "is not UTF-8 text",
  "source.convert": ({ command }: { readonly command: string }) => `Convert it:\n  ${command}`,
  "source.too_large": "is larger than 256 KiB, which no configuration is",
  "source.put_right_one": "Put the right file there.",
  "toml.syntax": ({ reason }: { readonly reason: string }) => `is not valid TOML: ${reason}`,
  "toml.correct_line": ({ line }: { readonly line: number }) =>
    `Correct line ${line}; text stands in double quotes, as in mode = "gateway"`,
  "toml.open_header": ({ line }: { readonly line: number }) => `has a section name in line ${line} that lacks its ]`,
  "toml.write_header": ({ line, header }: { readonly line: number; readonly header: string }) =>
    `Write line ${line} like this: ${header}`,
  "toml.twice": ({ name, first, line }: { readonly name: string; readonly first: number; readonly line: number }) =>
    `has ${name} twice, in lines ${first} and ${line}`,
  "toml.keep_one": ({ first, line }: { readonly first: number; readonly line: number }) =>
    `Keep one of the lines ${first} and ${line}.`,
  "toml.merge_sections": ({
    line,
    first,
    name,
  }: {
    readonly line: number;
    readonly first: number;
    readonly name: string;
  }) => `Delete line ${line} and move the keys below it to [${name}] in line ${first}.`,
  "toml.typographic_quotes": ({ line }: { readonly line: number }) => `has typographic quotes in line ${line}`,
  "toml.write_plain_quotes": ({ line }: { readonly line: number }) => `Write " in their place in line ${line}.`,
  "toml.single_quote": ({ line }: { readonly line: number }) => `has a quote without its pair in line ${line}`,
  "toml.write_both_quotes": ({ line }: { readonly line: number }) =>
    `Write " before and after the text in line ${line}, as in mode = "gateway"`,
  "toml.key_alone": ({ line }: { readonly line: number }) => `has a key in line ${line} without = and a value`,
  "toml.other_sign": ({ line }: { readonly line: number }) => `has another sign than = in line ${line}`,
  "toml.write_pair": ({ line }: { readonly line: number }) =>
    `Write line ${line} as key = value, as in mode = "gateway"`,
};
