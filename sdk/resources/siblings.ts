/** Whether a platform is to be built in this operation, or stays as it is. */
export type Decision = "build" | "keep";

/**
 * What this process knows of the platforms that belong to one index. Every platform is a resource of its own, and each
 * is built as soon as the engine asks for it; this is where they learn of each other, so that an unusable builder of one
 * is found before another has pushed anything.
 */
export interface SiblingBoard {
    /** Notes what `check` found out about one platform. */
    decide(group: string, platform: string, decision: Decision): void;
    /**
     * The platforms that are to be built together with this one. Waits a moment for those that have not been checked
     * yet; one that stays silent counts as built, for checking its builder harms nothing.
     */
    findToBuild(group: string, platforms: readonly string[], waitMs?: number): Promise<string[]>;
    /** True for a platform that was never checked: with `--target` it takes no part in the operation. */
    isSilent(group: string, platform: string): boolean;
}

/** The engine checks all platforms of an index within milliseconds. With `--target` some are never checked. */
const defaultWaitMs = 1_500;

/** An empty board. One serves all operations of a process. */
export function createSiblingBoard(): SiblingBoard {
    const decisions = new Map<string, Map<string, Decision>>();
    let listeners: (() => void)[] = [];

    const findSilent = (group: string, platforms: readonly string[]): string[] => {
        return platforms.filter((platform) => !decisions.get(group)?.has(platform));
    };

    return {
        decide(group, platform, decision) {
            const known = decisions.get(group) ?? new Map<string, Decision>();
            decisions.set(group, known.set(platform, decision));
            listeners.forEach((listener) => listener());
        },
        isSilent: (group, platform) => findSilent(group, [platform]).length > 0,
        async findToBuild(group, platforms, waitMs = defaultWaitMs) {
            await new Promise<void>((resolve) => {
                const timer = setTimeout(finish, waitMs);
                function finish(): void {
                    clearTimeout(timer);
                    listeners = listeners.filter((other) => other !== listener);
                    resolve();
                }
                function listener(): void {
                    if (findSilent(group, platforms).length === 0) {
                        finish();
                    }
                }
                listeners.push(listener);
                listener();
            });
            return platforms.filter((platform) => decisions.get(group)?.get(platform) !== "keep");
        },
    };
}

/** What the platforms of one index have in common: the URN without the platform at its end, and the repository. */
export function groupOf(urn: string, platform: string, repository: string): string {
    const suffix = `-${platform.replaceAll("/", "-")}`;
    const base = urn.endsWith(suffix) ? urn.slice(0, -suffix.length) : urn;
    return `${base} ${repository}`;
}
