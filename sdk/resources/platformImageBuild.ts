import { buildPlatform } from "../build/build";
import type { BuildProgress } from "../build/progress";
import type { BuilderNode } from "../builders/node";
import { leaseNode } from "../build/lease";
import { MultiArchError } from "../errors";
import { createRegistryClient } from "../registry/client";
import { privateDockerConfig } from "../registry/dockerConfig";
import { parseRepository } from "../registry/reference";
import { verifyImage } from "../registry/verify";
import type { OperationContext } from "./lifecycle";
import { fromDescriptor } from "./manifest";
import type { PlatformImageInputs } from "./platformImageLifecycle";
import { withRegistryProperty } from "./registryAccess";
import type { Properties } from "./values";

/** One hour: an emulated build of a large program has been seen to take most of it. */
const defaultTimeoutSeconds = 3_600;

const defaultRetries = 2;

/**
 * Builds the image of one platform and pushes it by digest. Before anything is built, every builder that is needed for
 * the same index and the right to push are checked: what is wrong there would otherwise show when half of it is pushed.
 */
