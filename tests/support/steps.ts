let steps = 0;

/** A step that is told from all others on this machine by its arguments. */
export function newStep(seconds: number): string {
    return `sleep ${seconds}.${process.pid % 1000}${(steps += 1)}`;
}

/** A Dockerfile with one such step. */
export function dockerfileWith(step: string): string {
    return `FROM alpine:latest\nCOPY content.txt /\nRUN ${step}\n`;
}
