// Builders, registry and image in one program, in one AWS account: nothing has to be there before but a VPC.
// npm install pulumi-multiarch @pulumi/aws @aws-sdk/client-ec2
import * as aws from "@pulumi/aws";
import { Ec2BuilderFleet, MultiArchImage } from "pulumi-multiarch";

// The default VPC of the account. Private subnets will do as well: see docs/ec2.md.
const vpc = aws.ec2.getVpcOutput({ default: true });
const subnets = aws.ec2.getSubnetsOutput({ filters: [{ name: "vpc-id", values: [vpc.id] }] });

// Native builders for both platforms. They turn themselves off after 15 minutes without a build.
const fleet = new Ec2BuilderFleet("builders", {
    subnetId: subnets.ids.apply(([first = ""]) => first),
    // Where this program runs: here the network of the VPC.
    allowedCidrs: [vpc.cidrBlock],
});

const repository = new aws.ecr.Repository("app", { imageScanningConfiguration: { scanOnPush: true } });

// The cache has a repository of its own, which forgets what has not been used for two weeks.
const cache = new aws.ecr.Repository("app-cache", { forceDelete: true });
new aws.ecr.LifecyclePolicy("app-cache", {
    repository: cache.name,
    policy: JSON.stringify({
        rules: [
            {
                rulePriority: 1,
                selection: { tagStatus: "any", countType: "sinceImagePushed", countUnit: "days", countNumber: 14 },
                action: { type: "expire" },
            },
        ],
    }),
});

// Twelve hours long, by the account of the AWS provider. It never counts as a change of the image.
const token = aws.ecr.getAuthorizationTokenOutput({ registryId: repository.registryId });

const image = new MultiArchImage("app", {
    context: { location: "../hello" },
    platforms: ["linux/amd64", "linux/arm64"],
    repository: repository.repositoryUrl,
    tags: ["latest"],
    registries: [
        {
            address: repository.repositoryUrl.apply((url) => url.split("/")[0] ?? ""),
            username: token.userName,
            password: token.password,
        },
    ],
    cache: { registry: { ref: cache.repositoryUrl.apply((url) => `${url}:app`) } },
    builders: { nodes: fleet.nodes },
});

/** What a task or a deployment names: it never changes its meaning. */
export const ref = image.ref;
export const builds = image.builds;
