import type { Ec2Report } from "../../args";
import type { Ec2Target } from "./instances";

/** When a build used an instance, in milliseconds since 1970. */
export interface UseTimes {
    /** When it was started for the build. Undefined when it ran already, or when another build has counted the start. */
    readonly startedAt?: number | undefined;
    /** When the build got its place. */
    readonly beganAt: number;
    readonly endedAt: number;
}

/** The starts by this process that no build has counted yet, by instance. */
const starts = new Map<string, number>();

/** Notes that an instance is started now. */
export function noteStart(instanceId: string, at = Date.now()): void {
    starts.set(instanceId, at);
}

/** When this process has started an instance. It is told once, so that the way up is counted for one build alone. */
export function takeStart(instanceId: string): number | undefined {
    const startedAt = starts.get(instanceId);
    starts.delete(instanceId);
    return startedAt;
}

/** What a build meant for its instance. */
export function describeUse({ idleMinutes, hourlyUsd }: Ec2Target, times: UseTimes): Ec2Report {
    const { startedAt, beganAt, endedAt } = times;
    const seconds = (endedAt - Math.min(startedAt ?? beganAt, beganAt)) / 1_000 + (idleMinutes ?? 0) * 60;
    const awakeSeconds = Math.round(10 * seconds) / 10;
    const cost = hourlyUsd === undefined ? {} : { estimatedUsd: Math.round(1e4 * (seconds / 3_600) * hourlyUsd) / 1e4 };
    return { started: startedAt !== undefined, awakeSeconds, ...cost };
}
