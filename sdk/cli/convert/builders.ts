import { formatPlatform, parsePlatform } from "../../platform";
import type { Build } from "./build";
import type { Constant, Setting, Value } from "./program";
import { reference } from "./references";

/** What builds, for a program: settings and constants that hold it, and the input itself. */
export interface ProgramBuilders {
    readonly settings: readonly Setting[];
    readonly constants: readonly Constant[];
    readonly builders: Value;
}

const certificates = { ca: "builderCa", cert: "builderCert", key: "builderKey" };

/** A place to fill in for each platform: a command does not say what its builder is made of. */
export function placeholderBuilders(platforms: readonly string[]): ProgramBuilders {
    const endpoints = platforms.map((platform) => {
        const { architecture, variant = "" } = parsePlatform(formatPlatform(parsePlatform(platform)));
        return { platform, setting: `${architecture}${variant}Builder` };
    });
    const tls = Object.fromEntries(Object.entries(certificates).map(([name, setting]) => [name, reference(setting)]));
    return {
        settings: [
            ...endpoints.map(({ platform, setting }, index) => ({
                name: setting,
                ...(index === 0 ? { comment: `Where BuildKit for ${platform} listens: tcp://host:1234` } : {}),
            })),
            { name: certificates.ca },
            { name: certificates.cert },
            { name: certificates.key, secret: true },
        ],
        constants: [{ name: "tls", value: tls }],
        builders: {
            endpoints: endpoints.map(({ platform, setting }) => ({
                platform,
                address: reference(setting),
                tls: reference("tls"),
            })),
        },
    };
}

/** The builder that a build names, by option or in the environment. */
export function namedBuilder(build: Build): string | undefined {
    const name = build.options.get("builder")?.at(-1) ?? build.env["BUILDX_BUILDER"];
    return name === "" ? undefined : name;
}
