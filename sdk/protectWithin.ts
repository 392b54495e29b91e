import * as pulumi from "@pulumi/pulumi";

/**
 * Looks into a value where it is. Inside an output everything becomes secret as a whole, so plain values are read in
 * place: that keeps the names beside a password readable in previews.
 */
export function inside<T, Found>(value: pulumi.Input<T>, read: (plain: T) => pulumi.Input<Found>): pulumi.Input<Found> {
    return pulumi.Output.isInstance(value) || value instanceof Promise
        ? (pulumi.output(value).apply((plain) => inside(plain as T, read)) as pulumi.Output<Found>)
        : read(value);
}

/** Changes a value where it is. */
export function within<T>(value: pulumi.Input<T>, change: (plain: T) => pulumi.Input<T>): pulumi.Input<T> {
    // What is null or undefined is found by the checks of the inputs, with its place.
    return inside(value, (plain) => ((plain as unknown) === null || plain === undefined ? plain : change(plain)));
}
