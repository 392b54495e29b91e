import * as pulumi from "@pulumi/pulumi";

import type { RegistryArgs } from "../args";
import type { ArchiveExportArgs, ExportedFile, LocalExportArgs, TarExportArgs } from "../exportArgs";

/** What an `ImageExport` is made of. Exactly one of `oci`, `docker`, `tar` and `local` says what is written. */
export interface ImageExportArgs {
    /**
     * What is written, with its digest: `registry/name@sha256:...`, for example the output `ref` of a `MultiArchImage`.
     * A tag in its place is looked up at every `up` that changes something, and by `refresh`.
     */
    source: pulumi.Input<string>;

    /** An OCI layout with everything under the digest: all platforms and attestations. By default one archive. */
    oci?: pulumi.Input<ArchiveExportArgs>;

    /** Archives that `docker load` takes, one for each platform, such as `app-linux-arm64.tar` for `app.tar`. */
    docker?: pulumi.Input<ArchiveExportArgs>;

    /** The files of the image, as one tar archive for each platform. It is named as for `docker`. */
    tar?: pulumi.Input<TarExportArgs>;

    /** The files of the image, in one folder for each platform, such as `linux_arm64`. */
    local?: pulumi.Input<LocalExportArgs>;

    /** The names of the image in archives that say nothing of their own. Defaults to `source` where it has a tag. */
    names?: pulumi.Input<pulumi.Input<string>[]>;

    /** True writes nothing. What was written before stays. Defaults to false. */
    disabled?: pulumi.Input<boolean>;

    /** Accounts for the registry. Defaults to what the docker configuration of the machine has. */
    registries?: pulumi.Input<pulumi.Input<RegistryArgs>[]>;

    /** Where a program says what is written, for errors, such as `exports[0]`. Defaults to nothing. */
    property?: pulumi.Input<string>;
}

/**
 * An image or index of a registry in files of the machine that runs `up`. The next `up` writes again what is missing or
 * was changed, and nothing else. Another `dest` is another resource; what was written to the old one stays, also when
 * the stack is destroyed.
 */
export class ImageExport extends pulumi.CustomResource {
    /** The digest of what was written. */
    declare public readonly digest: pulumi.Output<string>;

    /** The files and folders that were written. */
    declare public readonly files: pulumi.Output<ExportedFile[]>;

    /** What the source points to, as last seen. */
    declare public readonly sourceDigest: pulumi.Output<string>;

    constructor(name: string, args: ImageExportArgs, opts?: pulumi.CustomResourceOptions) {
        const outputs = { digest: undefined, files: undefined, sourceDigest: undefined };
        super("multiarch:index:ImageExport", name, { ...args, ...outputs }, opts);
    }
}
