/** What the command line said, as far as a command knows it. */
export interface CommandOptions {
  readonly config: string;
  readonly lang?: string;
  readonly json?: boolean;
  readonly directory?: string;
  readonly gateway?: boolean;
  // diagnose
  readonly ndjson?: boolean;
  /** Ids, separated by commas. */
  readonly only?: string;
  readonly skip?: string;
  readonly list?: boolean;
  readonly offline?: boolean;
  readonly warningsAsErrors?: boolean;
  readonly bundle?: string;
  /** Seconds. */
  readonly timeout?: string;
}
