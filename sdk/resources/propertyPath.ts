/**
 * The path of a member, as the engine writes and reads it. Names that are not plain words stand in quotes: the dots and
 * brackets in them would be taken for parts of the path.
 * https://github.com/pulumi/pulumi/blob/v3.259.0/sdk/go/common/resource/property_path.go
 */
export function joinKey(path: string, key: string): string {
    return /^[A-Za-z_]\w*$/.test(key) ? `${path}.${key}` : `${path}["${key.replaceAll('"', '\\"')}"]`;
}
