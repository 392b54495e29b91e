import { randomBytes } from "node:crypto";

import type { EC2Client, ResourceType } from "@aws-sdk/client-ec2";
import type { IAMClient } from "@aws-sdk/client-iam";
import type { SSMClient } from "@aws-sdk/client-ssm";

/** Properties in clear, as a resource gets them and gives them. */
export type Properties = Record<string, unknown>;

export interface Clients {
    readonly ec2: EC2Client;
    readonly iam: IAMClient;
    readonly ssm: SSMClient;
}

/** What becomes of a resource when a property changes, as with the real provider. */
export type Change = "update" | "replace" | ((news: Properties) => "update" | "replace");

/** One type of the real provider, with the few properties of it that are known here. */
export interface AwsType {
    /** Every input that may be given. Any other one is an error, so that nothing goes untested in silence. */
    readonly inputs: Readonly<Record<string, Change>>;
    /** The members of inputs that are objects: the same holds for them. */
    readonly members?: Readonly<Record<string, readonly string[]>>;
    /** True where a resource without a name gets one that nothing else has. */
    readonly autoName?: boolean;
    readonly secrets?: readonly string[];
    create(inputs: Properties, clients: Clients): Promise<{ id: string; outputs: Properties }>;
    /** What is there now, with the inputs that can be read back; undefined when it is gone. */
    read(id: string, outputs: Properties, clients: Clients): Promise<Properties | undefined>;
    update?(id: string, inputs: Properties, olds: Properties, clients: Clients): Promise<void>;
    delete(id: string, outputs: Properties, clients: Clients): Promise<void>;
}

/** Which inputs are not known. */
export function findUnknownInputs(type: AwsType, inputs: Properties): string[] {
    const unknown = Object.keys(inputs).filter((name) => !name.startsWith("__") && type.inputs[name] === undefined);
    const members = Object.entries(type.members ?? {}).flatMap(([name, known]) => {
        const given = Object.keys(inputs[name] ?? {});
        return given.filter((member) => !known.includes(member)).map((member) => `${name}.${member}`);
    });
    return [...unknown, ...members];
}

/** The inputs with the name that the real provider would give, which stays from then on. */
export function withName(type: AwsType, urn: string, olds: Properties, news: Properties): Properties {
    if (type.autoName !== true || news["name"] !== undefined) {
        return news;
    }
    const fresh = `${urn.split("::").pop() ?? ""}-${randomBytes(4).toString("hex").slice(0, 7)}`;
    return { ...news, name: olds["name"] ?? fresh };
}

/** Which inputs have changed, and whether the resource must be replaced for it. */
export function compare(type: AwsType, olds: Properties, news: Properties): { changed: string[]; replaces: string[] } {
    const changed = Object.keys(type.inputs).filter((name) => canonical(olds[name]) !== canonical(news[name]));
    const replaces = changed.filter((name) => {
        const change = type.inputs[name];
        return (typeof change === "function" ? change(news) : change) === "replace";
    });
    return { changed, replaces };
}

/** The same text for equal values, whatever the order of their members. */
function canonical(value: unknown): string {
    const sorted = (_: string, item: unknown): unknown =>
        item !== null && typeof item === "object" && !Array.isArray(item)
            ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
            : item;
    return value === undefined ? "" : JSON.stringify(value, sorted);
}

/** The answer of a request, or undefined when what it asks for is not there. */
export async function orGone<Answer>(answer: Promise<Answer>, ...codes: string[]): Promise<Answer | undefined> {
    try {
        return await answer;
    } catch (error) {
        if (codes.includes((error as Error).name)) {
            return undefined;
        }
        throw error;
    }
}

/** A value that a request needs and AWS always gives. */
export function must<Value>(value: Value | undefined, what: string): Value {
    if (value === undefined) {
        throw new Error(`no ${what} was given`);
    }
    return value;
}

export function toTags(tags: unknown): { Key: string; Value: string }[] {
    return Object.entries((tags ?? {}) as Record<string, string>).map(([Key, Value]) => ({ Key, Value }));
}

/** The tags of a new resource. EC2 refuses an empty list. */
export function tagNew(ResourceType: ResourceType, tags: unknown) {
    const Tags = toTags(tags);
    return Tags.length === 0 ? {} : { TagSpecifications: [{ ResourceType, Tags }] };
}

export function fromTags(tags: readonly { Key?: string | undefined; Value?: string | undefined }[] = []): Properties {
    return Object.fromEntries(tags.map(({ Key = "", Value = "" }) => [Key, Value]));
}
