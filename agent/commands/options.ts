/** What the command line said, as far as a command knows it. */
export interface CommandOptions {
  readonly config: string;
  readonly lang?: string;
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly directory?: string;
  readonly gateway?: boolean;
}
