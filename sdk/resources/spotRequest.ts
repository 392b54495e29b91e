import * as pulumi from "@pulumi/pulumi";

/** Which request it is. */
export interface SpotRequestArgs {
    /** Its id: `spotInstanceRequestId` of an `aws.ec2.Instance`. Another one is another resource. */
    requestId: pulumi.Input<string>;

    /** The region of its instance. Another one is another resource. */
    region: pulumi.Input<string>;
}

/**
 * The persistent request behind a spot instance, so that it is cancelled before the instance is deleted: else it would ask
 * for another instance, which no stack knows. It makes nothing itself. An `Ec2BuilderFleet` with `spot` has one for each
 * instance; instances of your own need one each. What detaches volumes from the instance has to depend on it.
 *
 * EC2 is asked with the AWS credentials of the process that runs `pulumi up`, as for builders that are started.
 */
export class SpotRequest extends pulumi.CustomResource {
    /** The request. */
    declare public readonly requestId: pulumi.Output<string>;

    /** Its region. */
    declare public readonly region: pulumi.Output<string>;

    /**
     * @param name The name of the resource.
     * @param args Which request it is.
     * @param opts Options of the resource.
     */
    constructor(name: string, args: SpotRequestArgs, opts?: pulumi.CustomResourceOptions) {
        super("multiarch:index:SpotRequest", name, { ...args }, opts);
    }
}
