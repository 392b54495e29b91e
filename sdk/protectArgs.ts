import * as pulumi from "@pulumi/pulumi";

import type {
    BuildersArgs,
    KeylessArgs,
    MultiArchImageArgs,
    RegistryArgs,
    SignArgs,
    SigningKeyArgs,
    TlsArgs,
} from "./args";
import type { SshArgs } from "./buildOptions";
import { protectCache } from "./protectCache";
import { within } from "./protectWithin";

/**
 * The same inputs with everything marked secret that is one, whatever the program said. A component's inputs are stored
 * in the state as they are given to it: a plain password would stay there in clear text.
 */
export function protectArgs(args: MultiArchImageArgs): MultiArchImageArgs {
    const given = dropNulls(args);
    const { secrets, ssh, registries, cache, sign, builders } = given;
    return {
        ...given,
        ...(secrets === undefined ? {} : { secrets: pulumi.secret(secrets) }),
        ...(ssh === undefined ? {} : { ssh: within(ssh, protectSsh) }),
        ...(registries === undefined ? {} : { registries: within(registries, protectRegistries) }),
        ...(sign === undefined ? {} : { sign: within(sign, protectSign) }),
        ...(cache === undefined ? {} : { cache: within(cache, protectCache) }),
        builders: within(builders, protectBuilders),
    };
}

/** In JavaScript an input may be null, which means that it is not given. */
function dropNulls<T extends object>(args: T): T {
    const given = Object.entries(args).filter(([, value]) => value !== null && value !== undefined);
    return Object.fromEntries(given) as T;
}

function protectRegistries(registries: readonly pulumi.Input<RegistryArgs>[]): pulumi.Input<RegistryArgs>[] {
    return registries.map((registry) =>
        within(registry, (plain) => ({
            ...plain,
            ...(plain.password === undefined ? {} : { password: pulumi.secret(plain.password) }),
        })),
    );
}

function protectSsh(ssh: readonly pulumi.Input<SshArgs>[]): pulumi.Input<SshArgs>[] {
    return ssh.map((one) =>
        within(one, (plain) => ({ ...plain, ...(plain.key === undefined ? {} : { key: pulumi.secret(plain.key) }) })),
    );
}

function protectSign(sign: SignArgs): SignArgs {
    const { key, keyless } = sign;
    return {
        ...sign,
        ...(key === undefined ? {} : { key: within(key, protectSigningKey) }),
        ...(keyless === undefined ? {} : { keyless: within(keyless, protectKeyless) }),
    };
}

function protectSigningKey(key: SigningKeyArgs): SigningKeyArgs {
    const password = key.password === undefined ? {} : { password: pulumi.secret(key.password) };
    return { ...key, privateKey: pulumi.secret(key.privateKey), ...password };
}

function protectKeyless(keyless: KeylessArgs): KeylessArgs {
    const { identityToken } = keyless;
    return { ...keyless, ...(identityToken === undefined ? {} : { identityToken: pulumi.secret(identityToken) }) };
}

/** The same builders, their keys marked secret. */
export function protectBuilders(builders: BuildersArgs): BuildersArgs {
    const { endpoints, nodes } = builders;
    return {
        ...builders,
        ...(endpoints === undefined ? {} : { endpoints: within(endpoints, protectTlsOf) }),
        ...(nodes === undefined ? {} : { nodes: within(nodes, protectTlsOf) }),
    };
}

function protectTlsOf<T extends { tls?: pulumi.Input<TlsArgs> }>(
    builders: readonly pulumi.Input<T>[],
): pulumi.Input<T>[] {
    return builders.map((builder) =>
        within<T>(builder, (plain) => ({
            ...plain,
            ...(plain.tls === undefined ? {} : { tls: within(plain.tls, protectTls) }),
        })),
    );
}

function protectTls(tls: TlsArgs): TlsArgs {
    return { ...tls, key: pulumi.secret(tls.key) };
}
