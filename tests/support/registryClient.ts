import assert from "node:assert/strict";
import { type ErrorCode, MultiArchError } from "../../sdk/errors";
import { createRegistryClient, type RegistryClient, type RegistryClientOptions } from "../../sdk/registry/client";
import type { Reference } from "../../sdk/registry/reference";
import { startRegistryDouble, type DoubleOptions, type RegistryDouble } from "./registryDouble";

/** The account that a double knows by default. */
export const account = { username: "user", password: "hunter2" };

/** Starts doubles and clients for the tests of one suite, and ends them after each test. */
export interface RegistryStage {
    double(options?: DoubleOptions): Promise<RegistryDouble>;
    /** A client without the machine's own accounts and certificates, which does not really wait between tries. */
    client(options?: RegistryClientOptions): RegistryClient;
}

export function useRegistryStage(): RegistryStage {
    const open: { close(): Promise<void> }[] = [];
    afterEach(async () => {
        await Promise.all(open.splice(0).map((one) => one.close()));
    });
    function keep<T extends { close(): Promise<void> }>(one: T): T {
        open.push(one);
        return one;
    }
    return {
        double: async (options) => keep(await startRegistryDouble(options)),
        client: (options = {}) =>
            keep(
                createRegistryClient({
                    env: {},
                    dockerConfigDir: "/nonexistent",
                    certsDir: "/nonexistent",
                    ...options,
                    retry: { sleep: () => Promise.resolve(), ...options.retry },
                }),
            ),
    };
}

/** A reference into a double. */
export function refer(double: RegistryDouble, target: Pick<Reference, "tag" | "digest"> = {}): Reference {
    return { registry: double.host, repository: "team/app", ...target };
}

/** Waits for the error of a call: with this code, a text like each of these, and no secret anywhere in it. */
export async function assertFails(
    call: Promise<unknown>,
    code: ErrorCode,
    ...texts: RegExp[]
): Promise<MultiArchError> {
    const error = await call.then(
        () => assert.fail(`the call succeeded, and should have failed with ${code}`),
        (reason: unknown) => reason,
    );
    assert.ok(error instanceof MultiArchError, String(error));
    assert.equal(error.code, code, error.message);
    for (const text of texts) {
        assert.match(error.message, text);
    }
    const everything = JSON.stringify([error.message, error.stack, error.fields, String(error.cause)]);
    assert.doesNotMatch(everything, /hunter2|token-|aHVudGVyMg|dXNlcjpodW50ZXIy/);
    return error;
}
