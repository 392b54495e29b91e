export type {
    BuildContextArgs,
    BuildersArgs,
    BuildReport,
    CacheArgs,
    CacheMode,
    DockerfileArgs,
    Emulation,
    EndpointArgs,
    InlineCacheArgs,
    LocalCacheArgs,
    MultiArchImageArgs,
    MultiArchImageOutputs,
    NamedContextArgs,
    RegistryArgs,
    RegistryCacheArgs,
    TlsArgs,
} from "./args";
export { errorCodes, MultiArchError, type ErrorCode, type ErrorFields } from "./errors";
export { MultiArchImage } from "./multiArchImage";
export { ImageIndex, type ImageIndexArgs, type IndexedImageArgs } from "./resources/imageIndex";
export {
    PlatformImage,
    type ManifestDescriptor,
    type ManifestPlatform,
    type NodeArgs,
    type PlatformImageArgs,
} from "./resources/platformImage";
