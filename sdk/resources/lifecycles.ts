import { imageCopyLifecycle } from "./imageCopyLifecycle";
import { imageIndexLifecycle } from "./imageIndexLifecycle";
import type { ResourceLifecycle } from "./lifecycle";
import { createPlatformImageLifecycle } from "./platformImageLifecycle";

/** The custom resources of the package, by type token. */
export const lifecycles: Readonly<Record<string, ResourceLifecycle>> = {
    "multiarch:index:ImageCopy": imageCopyLifecycle,
    "multiarch:index:ImageIndex": imageIndexLifecycle,
    "multiarch:index:PlatformImage": createPlatformImageLifecycle(),
};
