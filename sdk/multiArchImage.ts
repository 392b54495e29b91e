import { createHash } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

import type { BuildReport, MultiArchImageArgs, MultiArchImageOutputs, VerifyArgs } from "./args";
import { createOwnFleet } from "./builders/ec2/ownFleet";
import { listNodes } from "./builders/listNodes";
import { createDockerBuildImage, type DockerBuildImage } from "./dockerBuild/image";
import { applyOverrides } from "./platformOverrides";
import type { ExportedFile } from "./exportArgs";
import { protectArgs } from "./protectArgs";
import { ImageCopy } from "./resources/imageCopy";
import { ImageExport } from "./resources/imageExport";
import { ImageIndex } from "./resources/imageIndex";
import { PlatformImage } from "./resources/platformImage";
import { assertInputs, assertKnownInputs } from "./validation/assert";

/**
 * A container image for several platforms: each is built natively on a builder of its own, all at once, and pushed by
 * digest; the index that joins them is pushed when all are complete, and only then do the tags move.
 *
 * Children: one `PlatformImage` for each platform, named `<name>-<platform>`, the `ImageIndex` `<name>-index`, and one
 * `ImageCopy` for each additional repository, named `<name>-copy-<position>`, and one `ImageExport` for each of the
 * exports, named `<name>-export-<position>`. With `builders.ec2` also an `Ec2BuilderFleet`, named `<name>-builders`.
 */
export class MultiArchImage extends pulumi.ComponentResource implements MultiArchImageOutputs {
    declare public readonly indexDigest: pulumi.Output<string>;
    declare public readonly ref: pulumi.Output<string>;
    declare public readonly tagRefs: pulumi.Output<string[]>;
    declare public readonly additionalRefs: pulumi.Output<string[]>;
    declare public readonly exportedFiles: pulumi.Output<ExportedFile[]>;
    declare public readonly platformDigests: pulumi.Output<Record<string, string>>;
    declare public readonly manifestDigests: pulumi.Output<Record<string, string>>;
    declare public readonly attestationDigests: pulumi.Output<Record<string, string[]>>;
    declare public readonly signature: pulumi.Output<string>;
    declare public readonly contentHash: pulumi.Output<string>;
    declare public readonly builds: pulumi.Output<Record<string, BuildReport>>;

    /**
     * Declares the image.
     *
     * @param name The name of the resource, unique in the stack among its kind.
     * @param args What to build, where to push it and what builds it.
     * @param opts Options of the resource, passed on to its children as for every component.
     * @throws InputPropertiesError with everything that is wrong with `args`, by property path.
     */
    constructor(name: string, args: MultiArchImageArgs, opts?: pulumi.ComponentResourceOptions) {
        assertKnownInputs(name, args);
        const inputs = protectArgs(args);
        super("multiarch:index:MultiArchImage", name, inputs, opts);

        const { platforms, builders, tags, contentHash, onTagConflict, deletion, maxParallelism, ...others } = inputs;
        // Inputs that only become known later are checked before the first platform gets its builders.
        const listed = assertInputs(name, inputs, (known) => {
            return listNodes(known.builders, platforms, known.maxParallelism);
        });
        const fleet = createOwnFleet(name, builders, platforms, maxParallelism, this);
        const nodes = pulumi.all([listed, fleet]).apply(([own, machines]) => [...own, ...machines]);
        const { additionalRepositories = [], platformOverrides, annotations, sign, verify, ...building } = others;
        const { push = true, exports: exported = [], engine, ...shared } = building;
        const { repository, registries } = shared;
        const published = defined({ tags, registries, onTagConflict, deletion });
        const notes = pulumi.output(annotations ?? {});

        const images = platforms.map((platform) => {
            const childName = `${name}-${platform.replaceAll("/", "-")}`;
            const own = {
                platform,
                siblings: platforms,
                ...defined({ ownContentHash: contentHash }),
                ...(exported.length > 0 ? { exports: exported } : {}),
            };
            const overridable = defined({ ...shared, annotations });
            const overridden = applyOverrides(platform, platformOverrides, overridable, nodes);
            const image = { ...shared, ...own, ...overridden, ...(push ? {} : { push }) };
            return engine === "docker-build"
                ? createDockerBuildImage(childName, platform, image, this)
                : new PlatformImage(childName, image, { parent: this });
        });

        const indexed = images.map((image) => {
            const { platform, digest } = image;
            const descriptor = { annotations: notes.apply(({ manifestDescriptor = {} }) => manifestDescriptor) };
            // Without them the index asks the registry: docker-build tells the digest alone.
            const manifests = image instanceof PlatformImage ? { manifests: image.manifests } : {};
            return { platform, digest, ...manifests, ...(annotations === undefined ? {} : descriptor) };
        });
        const onIndex = annotations && { annotations: notes.apply(({ index = {} }) => index) };
        const index = push
            ? new ImageIndex(
                  `${name}-index`,
                  { repository, ...published, ...onIndex, ...defined({ sign, verify }), images: indexed },
                  { parent: this },
              )
            : undefined;

        const copies = (index === undefined ? [] : additionalRepositories).map((target, position) => {
            const signed = sign === undefined ? {} : { verify: verify ?? byKey(index?.publicKey) };
            const copy = { source: index?.ref ?? "", repository: target, ...published, ...signed };
            return new ImageCopy(`${name}-copy-${position}`, copy, { parent: this });
        });

        const written = (index === undefined ? [] : exported).map((item, position) => {
            const named = item.oci !== undefined || item.docker !== undefined;
            const names = named ? { names: index?.tagRefs ?? [] } : {};
            const place = { source: index?.ref ?? "", property: `exports[${position}]`, ...defined({ registries }) };
            return new ImageExport(`${name}-export-${position}`, { ...place, ...names, ...item }, { parent: this });
        });

        const nothing = pulumi.output<Record<string, string>>({});
        this.indexDigest = index?.digest ?? pulumi.output("");
        this.ref = index?.ref ?? pulumi.output("");
        this.tagRefs = index?.tagRefs ?? pulumi.output([]);
        this.additionalRefs = pulumi.all(copies.map((copy) => copy.ref));
        this.exportedFiles = pulumi.all(written.map(({ files }) => files)).apply((lists) => lists.flat());
        this.platformDigests = index?.platformDigests ?? nothing;
        this.manifestDigests = index?.manifestDigests ?? nothing;
        // A state of an earlier version says nothing of attestations, and has none.
        this.attestationDigests = pulumi
            .output(index?.attestationDigests)
            .apply((digests) => (digests as Record<string, string[]> | undefined) ?? {});
        this.signature = pulumi.output(index?.signature).apply((signature) => signature ?? "");
        this.contentHash = joinHashes(images);
        this.builds = reportBuilds(images);
        this.registerOutputs({
            indexDigest: this.indexDigest,
            ref: this.ref,
            tagRefs: this.tagRefs,
            additionalRefs: this.additionalRefs,
            exportedFiles: this.exportedFiles,
            platformDigests: this.platformDigests,
            manifestDigests: this.manifestDigests,
            attestationDigests: this.attestationDigests,
            signature: this.signature,
            contentHash: this.contentHash,
            builds: this.builds,
        });
    }
}

/** The inputs that are given: an optional property of a resource does not take undefined. */
function defined<T extends object>(inputs: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
    const given = Object.entries(inputs).filter(([, value]) => value !== undefined);
    return Object.fromEntries(given) as { [Name in keyof T]?: Exclude<T[Name], undefined> };
}

/** What a copy has to be signed with: the key that has signed the index. */
function byKey(publicKey: pulumi.Output<string | undefined> | undefined): pulumi.Output<VerifyArgs> {
    return pulumi.output(publicKey).apply((pem): VerifyArgs => ({ ...defined({ publicKey: pem }) }));
}

/** One hash for all platforms, in the order of the program. */
function joinHashes(images: readonly Pick<PlatformImage, "contentHash">[]): pulumi.Output<string> {
    return pulumi.all(images.map(({ contentHash }) => contentHash)).apply((hashes) => {
        return `sha256:${createHash("sha256").update(hashes.join("\n")).digest("hex")}`;
    });
}

/** How each platform was built, by platform. Nothing is known of builds by docker-build. */
function reportBuilds(
    images: readonly (PlatformImage | DockerBuildImage)[],
): pulumi.Output<Record<string, BuildReport>> {
    const reported = images.filter((image) => image instanceof PlatformImage);
    return pulumi.all(reported.map(({ platform, build }) => pulumi.all([platform, build]))).apply((reports) => {
        return Object.fromEntries(reports);
    });
}
