import type { Message } from "../message.ts";

interface Named {
  readonly file: string;
}

/** What is wrong with a file, or on the way to it, and what to do. Texts: agent/messages/config/files-*.ts. */
export interface FileMessages {
  "file.open_to_others": Named & { readonly mode: string };
  "file.close_to_others": Named;
  "file.missing": Named;
  "file.put_or_correct_path": undefined;
  "file.symbolic_link": Named;
  "file.name_itself": Named;
  "file.forbidden": Named;
  "file.give_to_service": Named;
  "file.unreadable": Named & { readonly code: string };
  "file.not_regular": Named;
  "file.look": Named;
  "file.too_large": Named & { readonly most: number };
  "file.put_right_one": undefined;
  "file.empty": Named;
  "file.put_again": undefined;
  "trust.writable": { readonly place: string; readonly mode: string };
  "trust.close": { readonly place: string };
  "trust.owner": { readonly place: string; readonly uid: number };
  "trust.give": { readonly place: string; readonly owner: string };
  "trust.give_link": { readonly place: string };
}

export type FileMessage = Message<FileMessages>;
