import { shellWord } from "../../common/shell-word.ts";

interface Device {
  readonly device: string;
}

/** What diagnose finds about configuration and keys, and about the bridge and its line. */
export const diagnoseConfigurationEn = {
  "configuration.absent": ({ file }: { readonly file: string }) => `there is no configuration file ${file}`,
  "configuration.reload": ({ command }: { readonly command: string }) =>
    `Make the agent reload the configuration:\n  ${command}`,
  "configuration.not_loaded": "valid, but the running agent has not loaded it yet",
  "configuration.earlier_in_force": "valid, but the agent still works with an earlier one",
  "configuration.valid": "valid",
  "configuration.invalid": "invalid",
  "configuration.problem": ({ where, what }: { readonly where: string; readonly what: string }) => `${where}: ${what}`,
  "configuration.more": ({ problem, others }: { readonly problem: string; readonly others: number }) =>
    `${problem} (and ${others} more)`,
  "configuration.last_valid_in_use": ({ problem }: { readonly problem: string }) =>
    `${problem}; the last valid one is in use`,
  "configuration.unreadable": ({
    user,
    file,
    at,
    mode,
  }: {
    readonly user: string;
    readonly file: string;
    readonly at: string;
    readonly mode: string;
  }) => `the user ${user} cannot read ${file} (mode ${mode} of ${at})`,
  "configuration.let_read": ({ user, at }: { readonly user: string; readonly at: string }) =>
    `Run:\n  chgrp ${user} ${shellWord(at)} && chmod g+r ${shellWord(at)}`,
  "configuration.left_over": ({ place }: { readonly place: string }) =>
    `${place} was left by a provision that was interrupted, and may hold a copy of a key`,
  "configuration.remove_left_over": ({ place }: { readonly place: string }) =>
    `Remove it:\n  rm -r ${shellWord(place)}`,
  "configuration.mode": ({ file, mode }: { readonly file: string; readonly mode: string }) =>
    `${file} has mode ${mode}`,
  "configuration.close": ({ file }: { readonly file: string }) => `Run:\n  chmod 0640 ${shellWord(file)}`,
  "configuration.no_file": "there is no file",
  "configuration.gateway": "gateway",
  "configuration.direct": "direct: the merchant's key is on this terminal",
  "keys.problem": ({ key, what }: { readonly key: string; readonly what: string }) => `${key} ${what}`,
  "keys.unreadable": ({
    key,
    user,
    file,
    at,
    mode,
  }: {
    readonly key: string;
    readonly user: string;
    readonly file: string;
    readonly at: string;
    readonly mode: string;
  }) => `${key}: the user ${user} cannot read ${file} (mode ${mode} of ${at})`,
  "keys.give": ({ user, file }: { readonly user: string; readonly file: string }) =>
    `Run:\n  chown ${user} ${shellWord(file)}`,
  "keys.open_directory": ({ at }: { readonly at: string }) => `Run:\n  chmod o+x ${shellWord(at)}`,
  "keys.tpm": "encrypted with this machine's TPM, usable here only",
  "keys.host_key": "encrypted with a key of this disk: safe against a copied file, not against a stolen disk",
  "keys.plain": "plain key files: only a state file that is copied alone is protected",
  "keys.beside_state": "the key lies beside the state: whoever copies the whole card has both",
  "keys.good": ({ count }: { readonly count: number }) => `${count} file(s) are in order`,
  "keys.no_credentials": "not installed as a service, so there are no system credentials",
  "certificates.none_beside_key": ({ file }: { readonly file: string }) =>
    `no ${file} beside the key; pay.auth finds out online`,
  "certificates.other_serial": ({
    certificate,
    configured,
  }: {
    readonly certificate: string;
    readonly configured: string;
  }) => `the certificate's serial number is ${certificate}, the configuration says ${configured}`,
  "certificates.all_fit": "certificate, serial number and key belong together",
  "certificates.other_key": "the key does not belong to the certificate",
  "certificates.not_yet_valid": ({ name }: { readonly name: string }) => `${name} is not valid yet`,
  "certificates.check_clock": "Check this machine's clock; if it is right, call headquarters.",
  "certificates.expired": ({ name, day }: { readonly name: string; readonly day: string }) =>
    `${name} expired on ${day}`,
  "certificates.valid_until": ({
    name,
    day,
    days,
  }: {
    readonly name: string;
    readonly day: string;
    readonly days: number;
  }) => `${name} is valid until ${day} (${days} days)`,
  "certificates.none": "there is no certificate to look at",
  "certificates.no_client": "no client certificate is in use",
  "certificates.client_fits": "client certificate and key belong together",
  "identity.failure": ({ failure }: { readonly failure: string }) => `device_id (设备SN): ${failure}`,
  "identity.differs": ({ bridge, configured }: { readonly bridge: string; readonly configured: string }) =>
    `device_id (设备SN) differs: the bridge says ${bridge}, the configuration ${configured}`,
  "identity.known": ({ device, organization }: Device & { readonly organization: string }) =>
    `device_id (设备SN) ${device}, organization_id (机构ID) ${organization}`,
  "identity.not_named_yet": ({ organization }: { readonly organization: string }) =>
    `the bridge has not named its device_id yet; organization_id (机构ID) ${organization}`,
  "identity.missing": "neither bridge nor configuration names a device_id (设备SN)",
  "identity.no_answer": "the bridge does not answer",
  "line.simulated": "the bridge is simulated inside the agent",
  "line.no_device": "the device is not there",
  "line.socket": "the bridge is a unix socket, not a serial device",
  "line.not_usb": "not a USB device",
  "line.not_socket": ({ path }: { readonly path: string }) => `${path} is not a unix socket`,
  "line.not_serial": ({ path }: { readonly path: string }) => `${path} is not a serial device`,
  "line.name_may_change": ({ path }: { readonly path: string }) =>
    `${path}, a name that may change when it is re-plugged`,
  "line.write_path": ({ path }: { readonly path: string }) => `Write in the configuration: path = "${path}"`,
  "line.absent_socket": ({ wanted }: { readonly wanted: string }) => `${wanted} does not exist`,
  "line.start_bridge": "The bridge's program is not running: start it, and check driver.path.",
  "line.absent_no_usb": ({ wanted }: { readonly wanted: string }) =>
    `${wanted} is not there, nor any USB serial device`,
  "line.absent_others": ({ wanted, others }: { readonly wanted: string; readonly others: readonly string[] }) =>
    `${wanted} is not there; plugged in: ${others.join(", ")}`,
  "line.other_device": "Another device is plugged in: connect the bridge, or write the name above into driver.path.",
  "line.only_one": "the only one",
  "line.several": ({ count, names }: { readonly count: number; readonly names: readonly string[] }) =>
    `${count} devices match: ${names.join(", ")}`,
  "line.name_one": ({ name }: { readonly name: string }) =>
    `Name one of them in the configuration, such as path = "${name}"`,
  "line.may_use": ({ user }: { readonly user: string }) => `the user ${user} may read and write it`,
  "line.gone": "the device has just gone",
  "line.may_not_look": ({ reason }: { readonly reason: string }) => `may not be looked at (${reason}): use sudo`,
  "line.may_not_use": ({
    user,
    path,
    at,
    group,
    mode,
  }: {
    readonly user: string;
    readonly path: string;
    readonly at: string;
    readonly group: string;
    readonly mode: string;
  }) => `${user} may not use ${path} (${at} is ${group} ${mode})`,
  "line.unit_denies": ({
    user,
    path,
    which,
  }: {
    readonly user: string;
    readonly path: string;
    readonly which: string;
  }) =>
    `${user} may use ${path}, but the service's unit does not allow the device (${which}): only the service cannot open it`,
  "line.allow": ({ command }: { readonly command: string }) => `Allow the device:\n  ${command}`,
  "line.allow_early": ({ command, early }: { readonly command: string; readonly early: string }) =>
    `Load its driver early in the boot, and allow the device:\n  ${early}\n  ${command}`,
  "line.allow_in_sandbox": ({ which }: { readonly which: string }) =>
    `Let the container or sandbox of the agent have the device (${which}).`,
  "line.udev_rule": ({ at }: { readonly at: string }) =>
    `Install the supplied udev rule and re-plug the device, or run:\n  chgrp dialout ${shellWord(at)} && chmod 0660 ${shellWord(at)}`,
  "line.join_group": ({ group, user }: { readonly group: string; readonly user: string }) =>
    `Add the user to the group and restart the service:\n  usermod -aG ${group} ${user}\n  systemctl restart facepay-agent`,
  "line.may_be_taken": ({ names }: { readonly names: string }) => `${names} is running and may take the port`,
  "line.disable_prober": ({ names }: { readonly names: string }) =>
    `Disable ${names}, or install the supplied udev rule that makes it leave this device alone.`,
  "line.free": "no other program has it open",
  "line.held_unseen": "another program has it open (sudo shows which)",
  "line.kernel_log": "the kernel's log may not be read: use sudo",
  "line.drops": ({ drops }: { readonly drops: number }) => `lost ${drops} time(s) in 24 h`,
  "directory.fault": ({ directory, fault }: { readonly directory: string; readonly fault: string }) =>
    `the state directory ${directory} ${fault}`,
  "directory.not_one": "is not a directory",
  "directory.move": ({ directory }: { readonly directory: string }) =>
    `Move the file ${shellWord(directory)} away, or name another store.directory.`,
  "directory.other_owner": ({
    uid,
    mode,
    user,
  }: {
    readonly uid: number;
    readonly mode: string;
    readonly user: string;
  }) => `belongs to user ${uid} (mode ${mode}); the service's user ${user} cannot use it`,
  "directory.open": ({ directory }: { readonly directory: string }) => `Run:\n  chmod 0700 ${shellWord(directory)}`,
  "handshake.not_loaded": "the agent has not loaded its configuration yet",
  "handshake.forbidden": "this user may not ask the agent: use sudo",
  "handshake.silent_agent": "the agent does not answer, and holds the line",
  "handshake.no_answer": ({
    path,
    code,
    failure,
  }: {
    readonly path: string;
    readonly code: string;
    readonly failure: string;
  }) => `no bridge answers on ${path} (${code}): ${failure}`,
  "handshake.answers": ({ name }: { readonly name: string }) => `${name} answers`,
  "handshake.answers_in": ({ name, ms }: { readonly name: string; readonly ms: number }) => `${name}, ${ms} ms`,
  "handshake.other_protocol": ({ major, said }: { readonly major: number; readonly said: string }) =>
    `the bridge does not speak protocol ${major}: ${said}`,
  "handshake.protocol": ({ protocol }: { readonly protocol: string }) => `protocol ${protocol}`,
  "handshake.older_protocol": ({ protocol }: { readonly protocol: string }) => `protocol ${protocol} is an older one`,
  "handshake.frames": ({ bad, total }: { readonly bad: number; readonly total: number }) =>
    `${bad} bad frames of ${total}`,
  "handshake.earlier_frames": ({ bad, total }: { readonly bad: number; readonly total: number }) =>
    `${bad} bad frames of ${total} since the agent was started, none now`,
  "handshake.data": ({ device, characters, ms }: Device & { readonly characters: number; readonly ms: number }) =>
    `device_id ${device}, raw_data of ${characters} characters, ${ms} ms`,
  "handshake.no_network": "the SDK's board has no network address (ip address is null): fix its network first",
  "handshake.no_data": ({ failure }: { readonly failure: string }) => `the face SDK gives no data: ${failure}`,
  "handshake.check_camera":
    "The SDK does not answer when asked for data: check the camera, then power-cycle the bridge for 10 s.",
};
