import { builderName } from "../build/builderArgv";
import type { BuilderNode } from "./node";
import { storedName } from "./storedBuilder";

/** A Docker context could have the name that is usual here, and buildx takes no name twice. */
export const dockerBuilderName = "pulumi-multiarch-in-docker";

/** What buildx calls the builder in its private store. */
export function registeredName({ docker, named }: BuilderNode): string {
    return named ? storedName(named.name) : docker ? dockerBuilderName : builderName;
}
