import type { Repository } from "./reference";
import type { RegistryCall, Session } from "./session";

/**
 * Removes a tag and leaves what it points to: the request names the tag and never a digest.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#deleting-tags
 *
 * False when the registry cannot do that. A tag that is not there is as good as removed, which `isGone` looks up: not
 * every 404 comes from the registry.
 */
export async function deleteTag(
    session: Session,
    repository: Repository,
    tag: string,
    isGone: () => Promise<boolean>,
): Promise<boolean> {
    const call: RegistryCall = {
        method: "DELETE",
        repository: repository.repository,
        path: `/v2/${repository.repository}/manifests/${tag}`,
        // What the right is called: https://distribution.github.io/distribution/spec/auth/scope/#authorization
        actions: ["pull", "push", "delete"],
        doing: `removing the tag ${tag}`,
        accept: [400, 404, 405],
    };
    const answer = await session.call(call);
    if (answer.status === 404 && !(await isGone())) {
        throw session.refuse(call, answer);
    }
    return answer.status < 300 || answer.status === 404;
}
