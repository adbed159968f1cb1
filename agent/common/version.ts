import packageJson from "../../package.json" with { type: "json" };

/** The version of this program, as it names itself to the bridge and to WeChat Pay. */
export const version: string = packageJson.version;

/** WeChat Pay refuses requests without one. */
export const userAgent = `facepay-agent/${version} (Linux; Node ${process.versions.node})`;
