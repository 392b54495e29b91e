export type {
    AttestationsArgs,
    BaseImages,
    BuildContextArgs,
    BuildersArgs,
    BuildReport,
    CacheArgs,
    CacheMode,
    Deletion,
    DockerfileArgs,
    Emulation,
    EndpointArgs,
    InlineCacheArgs,
    InvalidationArgs,
    KeylessArgs,
    LocalCacheArgs,
    MultiArchImageArgs,
    MultiArchImageOutputs,
    NamedContextArgs,
    Provenance,
    RegistryArgs,
    RegistryCacheArgs,
    SignArgs,
    SigningKeyArgs,
    TagConflict,
    TlsArgs,
    VerifyArgs,
} from "./args";
export type { BuildkitdConfigArgs, DockerBuilderArgs, NamedBuilderArgs } from "./builderArgs";
export type {
    AnnotationsArgs,
    BuildOptionsArgs,
    Compression,
    NetworkMode,
    PlatformOverrideArgs,
    SshArgs,
    UlimitArgs,
} from "./buildOptions";
export { errorCodes, MultiArchError, type ErrorCode, type ErrorFields } from "./errors";
export type { ArchiveExportArgs, ExportArgs, ExportedFile, LocalExportArgs, TarExportArgs } from "./exportArgs";
export { MultiArchImage } from "./multiArchImage";
export { BuilderCertificates, type BuilderCertificatesArgs, type TlsMaterial } from "./resources/builderCertificates";
export { ImageCopy, type ImageCopyArgs } from "./resources/imageCopy";
export { ImageExport, type ImageExportArgs } from "./resources/imageExport";
export { ImageIndex, type ImageIndexArgs, type IndexedImageArgs } from "./resources/imageIndex";
export {
    PlatformImage,
    type ManifestDescriptor,
    type ManifestPlatform,
    type NodeArgs,
    type PlatformImageArgs,
} from "./resources/platformImage";
