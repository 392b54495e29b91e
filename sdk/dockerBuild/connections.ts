import { withPrivateFolder, type PrivateFolder } from "../build/privateFolder";
import type { BuilderNode } from "../builders/node";
import { MultiArchError } from "../errors";
import type { OperationContext } from "../resources/lifecycle";
import { describeAccounts } from "../resources/platformImageBuild";
import type { PlatformImageInputs } from "../resources/platformImageInputs";
import { checkTogether, reportChoice, reportSkipped, type Siblings } from "../resources/platformImageNodes";
import { withRegistry } from "../resources/registryAccess";
import { createSiblingBoard } from "../resources/siblings";
import { buildxStoreFolder, openBuilderStore, undoBuilderStore, type BuilderStore } from "./builderStore";

/** What a build of docker-build needs. */
export interface ConnectRequest extends Pick<PlatformImageInputs, "platform" | "nodes" | "emulation" | "registries"> {
    /** The name under which docker-build looks for its builder. */
    readonly name: string;
    /** The platforms that are built for the same index, and a name for that. Defaults to this one alone. */
    readonly siblings?: readonly string[] | undefined;
    readonly group?: string | undefined;
    /** Where the image will be pushed. Defaults to a place that is not known here. */
    readonly repository?: string | undefined;
}

/** The builders that docker-build can use now. */
export interface Connections {
    /** Checks the builders, and makes the first one that is fit known to docker-build. */
    connect(request: ConnectRequest, context: OperationContext): Promise<void>;
    /** Says that one build on it is done. With the last one the builder is taken away again. */
    release(name: string): Promise<void>;
    /** Takes all builders away. */
    close(): Promise<void>;
}

interface Connection {
    builds: number;
    readonly addresses: string;
    readonly ready: Promise<void>;
}

/** No builders yet. */
export function createConnections(env: Readonly<Record<string, string | undefined>> = process.env): Connections {
    const board = createSiblingBoard();
    const connections = new Map<string, Connection>();
    let opened: OpenedStore | undefined;
    // One after the other: a builder that goes and comes back at once must not be taken away after it was added.
    let last: Promise<unknown> = Promise.resolve();
    const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
        const result = last.then(work);
        last = result.catch(() => undefined);
        return result;
    };

    const open = async (request: ConnectRequest, context: OperationContext): Promise<void> => {
        const { name, platform, siblings = [platform], group = name } = request;
        board.decide(group, platform, "build");
        const together = await board.findToBuild(group, siblings);
        const isSilent = (other: string): boolean => board.isSilent(group, other);
        const node = await findBuilder(request, { together, isSilent }, context);
        await inTurn(async () => {
            opened ??= openStore(buildxStoreFolder(env));
            await (await opened.store).add(name, node);
        });
    };

    return {
        async connect(request, context) {
            const { name, platform, nodes } = request;
            const addresses = nodes.map(({ address, ec2 }) => address ?? ec2?.instanceId).join(" ");
            const known = connections.get(name);
            if (known !== undefined && known.addresses !== addresses) {
                const what = "two fleets of this program have the same name and not the same builders";
                throw new MultiArchError("fleet-name-taken", { what, platform });
            }
            if (known !== undefined) {
                known.builds += 1;
                return known.ready;
            }
            const ready = open(request, context);
            connections.set(name, { builds: 1, addresses, ready });
            try {
                await ready;
            } catch (error) {
                connections.delete(name);
                throw error;
            }
        },
        async release(name) {
            const connection = connections.get(name);
            if (connection === undefined) {
                return;
            }
            connection.builds -= 1;
            if (connection.builds === 0) {
                connections.delete(name);
                await inTurn(async () => (await opened?.store)?.remove(name));
            }
        },
        async close() {
            connections.clear();
            await inTurn(async () => {
                const closing = opened;
                opened = undefined;
                await closing?.close();
            });
        },
    };
}

/** Checks what has to be right before anything is built, as for builds of our own. */
function findBuilder(request: ConnectRequest, siblings: Siblings, context: OperationContext): Promise<BuilderNode> {
    const { reporter, signal } = context;
    const { repository, registries } = request;
    const check = async (access: Promise<unknown>): Promise<BuilderNode> => {
        reporter.status(`checking builders of ${siblings.together.join(", ")}`);
        const registriesConfig = await describeAccounts(request);
        // What has no repository is known by its builder, whose name is equal on every machine.
        const image = { ...request, repository: repository ?? request.name };
        // An instance that has to be started takes its time.
        const onStatus = (text: string): void => reporter.status(text);
        const options = { signal, registriesConfig, onStatus };
        const [checked] = await Promise.all([checkTogether(image, siblings, options), access]);
        const [choice] = checked.choices;
        reportSkipped(checked, reporter);
        reportChoice(choice, reporter);
        return choice.node;
    };
    return repository === undefined
        ? check(Promise.resolve())
        : withRegistry({ repository, registries }, context, (client, where) => {
              return check(client.checkAccess(where, ["pull", "push"]));
          });
}

interface OpenedStore {
    readonly store: Promise<BuilderStore>;
    close(): Promise<void>;
}

/** Opens the store with a private folder that lives until it is closed. */
function openStore(place: string): OpenedStore {
    const end = Promise.withResolvers<undefined>();
    const folder = Promise.withResolvers<PrivateFolder>();
    // What it tells of is outside of it, and can only be undone as long as it is there.
    const lifetime = withPrivateFolder(
        async (opened) => {
            folder.resolve(opened);
            await end.promise;
            await undoBuilderStore(opened.path);
        },
        { swept: true },
    );
    lifetime.catch(folder.reject);
    return {
        store: folder.promise.then((opened) => openBuilderStore(opened, place)),
        close: () => {
            end.resolve(undefined);
            return lifetime;
        },
    };
}
