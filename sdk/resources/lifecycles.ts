import { imageCopyLifecycle } from "./imageCopyLifecycle";
import { imageIndexLifecycle } from "./imageIndexLifecycle";
import type { ResourceLifecycle } from "./lifecycle";
import { createPlatformImageLifecycle } from "./platformImageLifecycle";

/** The custom resources of the package, by type token. What they remember of each other lasts for one operation. */
export function createLifecycles(): Readonly<Record<string, ResourceLifecycle>> {
    return {
        "multiarch:index:ImageCopy": imageCopyLifecycle,
        "multiarch:index:ImageIndex": imageIndexLifecycle,
        "multiarch:index:PlatformImage": createPlatformImageLifecycle(),
    };
}
