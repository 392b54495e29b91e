import { formatPlatform, matchesPlatform, parsePlatform } from "../platform";

// How buildx writes its builders down. What is not named here is kept as it is.
// https://github.com/docker/buildx/blob/v0.35.0/store/nodegroup.go

/** A builder: one node or several. */
export interface StoredBuilder {
    readonly Name: string;
    readonly Driver: string;
    readonly Nodes: readonly StoredNode[];
}

/** One node of a builder. */
export interface StoredNode {
    readonly Name: string;
    readonly Platforms?: readonly StoredPlatform[] | null;
    readonly DriverOpts?: Readonly<Record<string, string>> | null;
    readonly Flags?: readonly string[] | null;
    /** The files its daemon is given, by name, in base64. */
    readonly Files?: Readonly<Record<string, string>> | null;
}

/** A platform. */
export interface StoredPlatform {
    readonly os: string;
    readonly architecture: string;
    readonly variant?: string | undefined;
}

/** Reads the text of a builder's file. Undefined when it is something else. */
export function parseStoredBuilder(text: string): StoredBuilder | undefined {
    try {
        const builder = JSON.parse(text) as Partial<StoredBuilder>;
        const { Name, Driver, Nodes } = builder;
        const isComplete = typeof Name === "string" && typeof Driver === "string" && Array.isArray(Nodes);
        return isComplete && Nodes.length > 0 ? (builder as StoredBuilder) : undefined;
    } catch {
        return undefined;
    }
}

/** The nodes of a builder that may serve a platform: those that name it, and those that name none. */
export function findMembers({ Nodes }: StoredBuilder, platform: string): StoredNode[] {
    const wanted = parsePlatform(platform);
    return Nodes.filter(({ Platforms }) => {
        const declared = Platforms ?? [];
        return declared.length === 0 || declared.some((offered) => matchesPlatform(wanted, offered));
    });
}

/** The platforms that the nodes of a builder name. */
export function declaredPlatforms({ Nodes }: StoredBuilder): string[] {
    return Nodes.flatMap(({ Platforms }) => (Platforms ?? []).map(formatPlatform));
}

/**
 * The builder with one of its nodes and one platform, or none, to be asked what it has. Of several nodes buildx takes the
 * first when none matches, whatever it is, and a single one that does not start fails the build.
 * https://github.com/docker/buildx/blob/v0.35.0/build/resolver/driver.go
 */
export function withOneMember(builder: StoredBuilder, member: string, platform?: string): StoredBuilder {
    const platforms = platform === undefined ? [] : [parsePlatform(platform)];
    const nodes = builder.Nodes.filter(({ Name }) => Name === member);
    return { ...builder, Nodes: nodes.map((node) => ({ ...node, Platforms: platforms })) };
}

/** buildx keeps all names in lower case. */
export function storedName(name: string): string {
    return name.toLowerCase();
}
