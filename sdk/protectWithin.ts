import * as pulumi from "@pulumi/pulumi";

/**
 * Changes a value where it is. Inside an output everything becomes secret as a whole, so plain values are changed in
 * place: that keeps the names beside a password readable in previews.
 */
export function within<T>(value: pulumi.Input<T>, change: (plain: T) => pulumi.Input<T>): pulumi.Input<T> {
    if (pulumi.Output.isInstance(value) || value instanceof Promise) {
        return pulumi.output(value).apply((plain) => within(plain as T, change)) as pulumi.Output<T>;
    }
    // What is null or undefined is found by the checks of the inputs, with its place.
    return (value as unknown) === null || (value as unknown) === undefined ? value : change(value);
}
