import * as ec2 from "@aws-sdk/client-ec2";

import { toTags, type Clients, type Properties } from "./resource";

/** What has to be done for the tags of an update. */
export function compareTags(
    inputs: Properties,
    olds: Properties,
): { gone: string[]; now: { Key: string; Value: string }[] } {
    const now = toTags(inputs["tags"]);
    const gone = toTags(olds["tags"]).map(({ Key }) => Key);
    return { now, gone: gone.filter((key) => !now.some(({ Key }) => Key === key)) };
}

/** Gives something of EC2 its new tags. */
export async function retag(id: string, inputs: Properties, olds: Properties, { ec2: client }: Clients): Promise<void> {
    const { gone, now } = compareTags(inputs, olds);
    const Resources = [id];
    if (gone.length > 0) {
        await client.send(new ec2.DeleteTagsCommand({ Resources, Tags: gone.map((Key) => ({ Key })) }));
    }
    if (now.length > 0) {
        await client.send(new ec2.CreateTagsCommand({ Resources, Tags: now }));
    }
}
