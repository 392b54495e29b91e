import { parseArgs } from "node:util";

import { UsageError, type CommandContext } from "../command";
import type { Properties } from "../../resources/values";
import { readBuildersFile } from "./buildersFile";
import { readPem } from "./pem";

/** What doctor was asked for. */
export interface DoctorOptions {
    /** The builders, as a program gives them: `builders`, `platforms`, `emulation`. */
    readonly inputs: Properties;
    readonly json: boolean;
    /** The milliseconds for each builder. */
    readonly timeoutMs: number | undefined;
}

const single = ["address", "ca", "cert", "key", "server-name", "insecure", "docker-context", "named"] as const;
const maxSeconds = 3_600;

/** Reads the arguments, and the files they name. Throws a UsageError. */
export async function readOptions(args: readonly string[], context: CommandContext): Promise<DoctorOptions> {
    const values = parse(args);
    const emulation = values.emulation ?? undefined;
    if (emulation !== undefined && emulation !== "never" && emulation !== "allow") {
        throw new UsageError("--emulation is one of never, allow");
    }
    const common = { json: values.json ?? false, timeoutMs: readTimeout(values.timeout) };
    const chosen = emulation === undefined ? {} : { emulation };
    if (values.file !== undefined) {
        const foreign = single.find((name) => values[name] !== undefined);
        if (foreign !== undefined) {
            throw new UsageError(`--${foreign} and --file exclude each other`);
        }
        const inputs = await readBuildersFile(values.file, context);
        const platforms = values.platform ?? inputs["platforms"];
        return { ...common, inputs: { ...inputs, ...chosen, ...(platforms === undefined ? {} : { platforms }) } };
    }
    const builders = readBuilder(values, context);
    return { ...common, inputs: { builders, platforms: values.platform, ...chosen } };
}

/** The one builder that the arguments describe, as `builders` of a program. */
function readBuilder(values: ReturnType<typeof parse>, context: CommandContext): Properties {
    const { address, named, platform = [] } = values;
    const given = [address, values["docker-context"], named].filter((value) => value !== undefined);
    if (given.length !== 1) {
        throw new UsageError("give one of --address, --docker-context, --named, or --file");
    }
    const [wanted] = platform;
    if (wanted === undefined || platform.length > 1) {
        throw new UsageError("give the one --platform that it is to build");
    }
    const ofAddress = (["ca", "cert", "key", "server-name", "insecure"] as const).find(
        (name) => values[name] !== undefined,
    );
    if (address === undefined && ofAddress !== undefined) {
        throw new UsageError(`--${ofAddress} is for --address`);
    }
    if (values["docker-context"] !== undefined) {
        return { docker: [{ context: values["docker-context"], platforms: platform }] };
    }
    if (named !== undefined) {
        return { named: [{ name: named, platforms: platform }] };
    }
    const { "server-name": serverName, insecure } = values;
    return {
        endpoints: [
            {
                platform: wanted,
                address,
                ...readTls(values, context),
                ...(serverName === undefined ? {} : { serverName }),
                ...(insecure === true ? { insecure } : {}),
            },
        ],
    };
}

function readTls({ ca, cert, key }: ReturnType<typeof parse>, context: CommandContext): Properties {
    if (ca === undefined && cert === undefined && key === undefined) {
        return {};
    }
    if (ca === undefined || cert === undefined || key === undefined) {
        throw new UsageError("--ca, --cert and --key belong together");
    }
    const read = (name: string, file: string): string => readPem(`--${name}`, file, context.folder);
    return { tls: { ca: read("ca", ca), cert: read("cert", cert), key: read("key", key) } };
}

function readTimeout(text: string | undefined): number | undefined {
    const seconds = Number(text);
    if (text !== undefined && !(seconds >= 0.1 && seconds <= maxSeconds)) {
        throw new UsageError(`--timeout is a number of seconds, up to ${maxSeconds}`);
    }
    return text === undefined ? undefined : seconds * 1_000;
}

function parse(args: readonly string[]) {
    try {
        return parseArgs({
            args: [...args],
            options: {
                platform: { type: "string", multiple: true },
                address: { type: "string" },
                ca: { type: "string" },
                cert: { type: "string" },
                key: { type: "string" },
                "server-name": { type: "string" },
                insecure: { type: "boolean" },
                "docker-context": { type: "string" },
                named: { type: "string" },
                file: { type: "string", short: "f" },
                emulation: { type: "string" },
                timeout: { type: "string" },
                json: { type: "boolean" },
            },
        }).values;
    } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        // What stands alone may be a key, and is not repeated.
        const isAlone = code === "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL";
        throw new UsageError(isAlone ? "there is a word that belongs to no option" : message);
    }
}
