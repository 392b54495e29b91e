export type {
    AttestationsArgs,
    BaseImages,
    BuildContextArgs,
    BuildersArgs,
    BuildReport,
    Deletion,
    DockerfileArgs,
    Ec2Report,
    Emulation,
    EndpointArgs,
    Engine,
    InvalidationArgs,
    KeylessArgs,
    MultiArchImageArgs,
    MultiArchImageOutputs,
    NamedContextArgs,
    Provenance,
    RegistryArgs,
    SignArgs,
    SigningKeyArgs,
    TagConflict,
    TlsArgs,
    VerifyArgs,
} from "./args";
export type {
    AddressKind,
    BuildkitdConfigArgs,
    DockerBuilderArgs,
    Ec2InstanceArgs,
    NamedBuilderArgs,
} from "./builderArgs";
export type {
    AnnotationsArgs,
    BuildOptionsArgs,
    Compression,
    NetworkMode,
    PlatformOverrideArgs,
    SshArgs,
    UlimitArgs,
} from "./buildOptions";
export type {
    AzblobCacheArgs,
    CacheArgs,
    CacheMode,
    CacheSourceArgs,
    GhaCacheArgs,
    InlineCacheArgs,
    LocalCacheArgs,
    RegistryCacheArgs,
    S3CacheArgs,
} from "./cacheArgs";
export {
    BuilderFleet,
    type BuilderFleetArgs,
    type DockerBuildConnection,
    type DockerBuildFleet,
} from "./builders/fleet";
export { type DockerBuildPlatform } from "./dockerBuild/platforms";
export { Ec2BuilderFleet } from "./ec2BuilderFleet";
export type {
    CacheOnDestroy,
    Ec2BuilderFleetArgs,
    Ec2BuildersArgs,
    Ec2BuildKitArgs,
    Ec2CacheArgs,
    Ec2EgressArgs,
    Ec2Machine,
} from "./ec2FleetArgs";
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
export { SpotRequest, type SpotRequestArgs } from "./resources/spotRequest";
