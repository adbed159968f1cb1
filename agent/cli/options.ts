/** What the command line said, as far as a command knows it. */
export interface CommandOptions {
  readonly config: string;
  readonly lang?: string;
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly directory?: string;
  readonly gateway?: boolean;
  readonly state?: string;
  // status, diagnose
  readonly qr?: boolean;
  /** .svg or .png */
  readonly qrFile?: string;
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
  // page
  /** "127.0.0.1:0" */
  readonly listen?: string;
  // provision
  /** "section.key=value" */
  readonly set?: readonly string[];
  readonly from?: string;
  readonly nonInteractive?: boolean;
  readonly user?: string;
  /** False: the bridge and WeChat Pay are not tried. */
  readonly trial?: boolean;
  readonly force?: boolean;
  // gateway
  readonly checkConfig?: boolean;
}

/** For a command that tells the packaged service from one that is run by hand. */
export interface PackagedOptions extends CommandOptions {
  /** Where the packaged service has its configuration. */
  readonly packagedConfig: string;
}
