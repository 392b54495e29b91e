// Image, builders, cluster and deployment in one program: what is built is what runs, on both architectures.
// npm install pulumi-multiarch @pulumi/aws @pulumi/kubernetes @aws-sdk/client-ec2
// The cluster is asked with the token of `aws eks get-token`, so the AWS command line has to be installed.
import * as aws from "@pulumi/aws";
import * as kubernetes from "@pulumi/kubernetes";
import { jsonStringify } from "@pulumi/pulumi";
import { MultiArchImage } from "pulumi-multiarch";

// The default VPC. EKS is in most zones of a region, but not in all: leave out the subnets of the others.
const vpc = aws.ec2.getVpcOutput({ default: true });
const subnets = aws.ec2.getSubnetsOutput({
    filters: [
        { name: "vpc-id", values: [vpc.id] },
        { name: "default-for-az", values: ["true"] },
    ],
});

const repository = new aws.ecr.Repository("app", { imageScanningConfiguration: { scanOnPush: true } });
const token = aws.ecr.getAuthorizationTokenOutput({ registryId: repository.registryId });

// The image, on builders that are made for it. While the cluster comes up it is built already.
const image = new MultiArchImage("app", {
    context: { location: "./app" },
    platforms: ["linux/amd64", "linux/arm64"],
    repository: repository.repositoryUrl,
    registries: [
        {
            address: repository.repositoryUrl.apply((url) => url.split("/")[0] ?? ""),
            username: token.userName,
            password: token.password,
        },
    ],
    builders: {
        ec2: {
            subnetId: subnets.ids.apply(([first = ""]) => first),
            // Where this program runs: here the network of the VPC.
            allowedCidrs: [vpc.cidrBlock],
        },
    },
});

const attachments: aws.iam.RolePolicyAttachment[] = [];

/** A role that a service of AWS takes, with policies that AWS keeps. */
function makeRole(name: string, service: string, policies: readonly string[]): aws.iam.Role {
    const role = new aws.iam.Role(name, {
        assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: service }),
    });
    for (const policy of policies) {
        const policyArn = `arn:aws:iam::aws:policy/${policy}`;
        attachments.push(new aws.iam.RolePolicyAttachment(`${name}-${policy}`, { role: role.name, policyArn }));
    }
    return role;
}

const clusterRole = makeRole("cluster-role", "eks.amazonaws.com", ["AmazonEKSClusterPolicy"]);
// Nodes may pull from ECR, and nothing else there.
const nodeRole = makeRole("node-role", "ec2.amazonaws.com", [
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonEC2ContainerRegistryPullOnly",
]);

const cluster = new aws.eks.Cluster(
    "cluster",
    {
        roleArn: clusterRole.arn,
        vpcConfig: { subnetIds: subnets.ids },
        accessConfig: { authenticationMode: "API", bootstrapClusterCreatorAdminPermissions: true },
    },
    // Without its policies EKS cannot take away what it has made.
    { dependsOn: attachments },
);

const architectures = {
    amd64: { amiType: "AL2023_x86_64_STANDARD", instanceTypes: ["t3.medium"] },
    arm64: { amiType: "AL2023_ARM_64_STANDARD", instanceTypes: ["t4g.medium"] },
};
const nodeGroups = Object.entries(architectures).map(([architecture, machine]) => {
    const args = {
        ...machine,
        clusterName: cluster.name,
        nodeRoleArn: nodeRole.arn,
        subnetIds: subnets.ids,
        scalingConfig: { minSize: 1, desiredSize: 1, maxSize: 2 },
    };
    return new aws.eks.NodeGroup(architecture, args, { dependsOn: attachments });
});

const { region } = aws.getRegionOutput();
const kubeconfig = jsonStringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
        {
            name: "eks",
            cluster: {
                server: cluster.endpoint,
                "certificate-authority-data": cluster.certificateAuthority.data,
            },
        },
    ],
    users: [
        {
            name: "eks",
            user: {
                exec: {
                    apiVersion: "client.authentication.k8s.io/v1beta1",
                    command: "aws",
                    args: ["eks", "get-token", "--region", region, "--cluster-name", cluster.name],
                    interactiveMode: "Never",
                },
            },
        },
    ],
    contexts: [{ name: "eks", context: { cluster: "eks", user: "eks" } }],
    "current-context": "eks",
});
const provider = new kubernetes.Provider("eks", { kubeconfig });

const labels = { app: "hello" };
const deployment = new kubernetes.apps.v1.Deployment(
    "hello",
    {
        spec: {
            replicas: 2,
            selector: { matchLabels: labels },
            template: {
                metadata: { labels },
                spec: {
                    // By digest: a new image is a new rollout, and nothing else is.
                    containers: [{ name: "app", image: image.ref, ports: [{ containerPort: 8080 }] }],
                    // One on each architecture.
                    topologySpreadConstraints: [
                        {
                            topologyKey: "kubernetes.io/arch",
                            maxSkew: 1,
                            whenUnsatisfiable: "DoNotSchedule",
                            labelSelector: { matchLabels: labels },
                        },
                    ],
                },
            },
        },
    },
    { provider, dependsOn: nodeGroups },
);

export const ref = image.ref;
export const deploymentName = deployment.metadata.name;
