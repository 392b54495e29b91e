import type { Input } from "@pulumi/pulumi";

/**
 * Files that hold an image: exactly one of `oci`, `docker`, `tar` and `local`. What is in them is read from the
 * registry once the index is complete, so nothing is built for them.
 */
export interface ExportArgs {
    /**
     * An OCI layout with everything under the digest of the index: the images of all platforms and their attestations.
     * By default one archive.
     */
    oci?: Input<ArchiveExportArgs>;

    /**
     * Archives that `docker load` takes, one for each platform. The platform becomes part of the name: `app.tar` is
     * written as `app-linux-arm64.tar`.
     */
    docker?: Input<ArchiveExportArgs>;

    /** The files of the image, as one tar archive for each platform. It is named as for `docker`. */
    tar?: Input<TarExportArgs>;

    /** The files of the image, in one folder for each platform, such as `linux_arm64`. */
    local?: Input<LocalExportArgs>;

    /** True writes nothing. What was written before stays. Defaults to false. */
    disabled?: Input<boolean>;
}

/** An image in an archive or a folder. */
export interface ArchiveExportArgs {
    /** The path of the file, or of the folder where `tar` is false, relative to the folder of the program. */
    dest: Input<string>;

    /** False writes a folder in place of an archive. Defaults to true. */
    tar?: Input<boolean>;

    /** The names of the image in there, as `registry/name:tag`. Defaults to its tags in the registry. */
    names?: Input<Input<string>[]>;
}

/** The files of an image in an archive. */
export interface TarExportArgs {
    /** The path of the file, relative to the folder of the program. The platform becomes part of its name. */
    dest: Input<string>;
}

/** The files of an image in a folder. */
export interface LocalExportArgs {
    /**
     * The path of the folder that gets a folder for each platform, relative to the folder of the program. What else is
     * in there stays.
     */
    dest: Input<string>;
}

/** A file or folder that was written. */
export interface ExportedFile {
    /** Its path, relative to the folder of the program unless `dest` is absolute. */
    path: string;

    /** The platform whose image it holds. Missing where it holds all of them. */
    platform?: string;

    /**
     * What stands for its content: the SHA-256 digest of a file, the digest of the image in an OCI layout that is a
     * folder, and a digest over names, permissions and contents for `local`.
     */
    digest: string;

    /**
     * The bytes in it.
     * @integer
     */
    size: number;
}
