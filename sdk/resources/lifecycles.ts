import { createBuilderCertificatesLifecycle } from "./builderCertificatesLifecycle";
import { imageCopyLifecycle } from "./imageCopyLifecycle";
import { imageExportLifecycle } from "./imageExportLifecycle";
import { imageIndexLifecycle } from "./imageIndexLifecycle";
import type { ResourceLifecycle } from "./lifecycle";
import { createPlatformImageLifecycle } from "./platformImageLifecycle";
import { createSpotRequestLifecycle } from "./spotRequestLifecycle";
import { withOwnTags, type TagOwners } from "./tagOwners";

/** The custom resources of the package, by type token. What they remember of each other lasts for one operation. */
export function createLifecycles(): Readonly<Record<string, ResourceLifecycle>> {
    const owners: TagOwners = new Map();
    return {
        "multiarch:index:BuilderCertificates": createBuilderCertificatesLifecycle(),
        "multiarch:index:ImageCopy": withOwnTags(imageCopyLifecycle, owners),
        "multiarch:index:ImageExport": imageExportLifecycle,
        "multiarch:index:ImageIndex": withOwnTags(imageIndexLifecycle, owners),
        "multiarch:index:PlatformImage": createPlatformImageLifecycle(),
        "multiarch:index:SpotRequest": createSpotRequestLifecycle(),
    };
}
