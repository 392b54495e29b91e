/** The line of builds before the places of one builder. */
export interface BuildQueue {
    /** How many builds have a place or wait for one. */
    look(signal: AbortSignal): Promise<number>;
    /** Lines up. What is entered has to be released, whatever comes of it. */
    enter(signal: AbortSignal): Promise<QueueEntry>;
}

/** One build in the line, and then at its place. */
export interface QueueEntry {
    /**
     * Waits until the build has a place. `onAhead` is told how many builds are ahead, each time that changes. False only
     * where `isPatient` is false and there is no place now.
     */
    takeTurn(options: TurnOptions): Promise<boolean>;
    /** Aborted when the builder does not answer any more, or does not know of the build any more. */
    readonly lost: AbortSignal;
    /** Leaves the line or gives the place back. Can be called twice. */
    release(): Promise<void>;
}

/** How a turn is waited for. */
export interface TurnOptions {
    readonly isPatient: boolean;
    readonly signal: AbortSignal;
    readonly onAhead?: ((ahead: number) => void) | undefined;
}
