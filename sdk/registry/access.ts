import { brokenError } from "./faults";
import type { Repository } from "./reference";
import type { Action, RegistryCall, Session } from "./session";
import { cancelUpload, startUpload } from "./uploads";

/**
 * Finds out whether an account may do something, before anything is built. A read-only account is told apart only by
 * trying: an upload is started and given up at once.
 *
 * Throws a MultiArchError with the reason.
 */
export async function checkAccess(
    session: Session,
    { registry, repository }: Repository,
    actions: readonly Action[],
): Promise<void> {
    const common = { repository, actions };
    const greeting: RegistryCall = {
        ...common,
        method: "GET",
        path: "/v2/",
        doing: "logging in",
        accept: [404],
    };
    const answer = await session.call(greeting);
    if (answer.status === 404) {
        throw brokenError({ registry, doing: "logging in" }, "something answers there, but not a registry");
    }
    if (actions.includes("push")) {
        const upload = await startUpload(session, { ...common, doing: "asking whether this account may push" });
        await cancelUpload(session, common, upload);
    } else {
        // A public repository answers without an account, and a missing one says so: both are no question of rights.
        await session.call({
            ...common,
            method: "HEAD",
            path: `/v2/${repository}/manifests/latest`,
            doing: "asking whether this account may pull",
            accept: [404],
        });
    }
}
