import type { Writable } from "node:stream";

// A process that is killed cannot take anything away: neither the programs it runs nor the files with keys. A warden can.
// It is a shell that does nothing but read from a pipe, whose other end goes away with this process, however it ends.

/**
 * What the warden runs. It is told one thing a line, `+` what to take away and `-` what not any more: `g` and a process
 * group, or `f` and a folder. At the end of its input it does so. Nothing it is told is ever part of a command.
 */
export const wardenScript = `
trap '' INT TERM HUP
set --
while IFS= read -r line; do
    item="\${line#?}"
    case "$line" in
    +*) set -- "$@" "$item" ;;
    -*)
        for known do
            shift
            [ "$known" = "$item" ] || set -- "$@" "$known"
        done
        ;;
    esac
done
tell() {
    signal="$1"
    shift
    found=1
    for known do
        case "$known" in g*) kill -s "$signal" -- "-\${known#g}" 2> /dev/null && found=0 ;; esac
    done
    return "$found"
}
if tell TERM "$@"; then
    tries=0
    while [ "$tries" -lt 50 ] && tell 0 "$@"; do
        sleep 0.1
        tries=$((tries + 1))
    done
    tell KILL "$@"
fi
for known do
    case "$known" in f/*) rm -rf -- "\${known#f}" ;; esac
done
`;

/** Takes away what this process leaves when it is killed. */
export interface Warden {
    /** From now on a process group ends with this process. Gives what to call when it has ended by itself. */
    guardGroup(leader: number): () => void;
    /** From now on a folder goes with this process. Gives what to call when it is gone. */
    guardFolder(folder: string): () => void;
}

/** A warden that is started with the first thing to guard, and again should somebody have ended it. */
export function createWarden(start: () => Writable | undefined): Warden {
    const items = new Set<string>();
    let input: Writable | undefined;
    const send = (line: string): void => {
        // A line that cannot be told is lost, and with it what a killed process leaves: the next start sweeps it.
        input?.write(`${line}\n`);
    };
    const open = (): void => {
        const opened = start();
        input = opened;
        opened?.on("error", () => {
            input = input === opened ? undefined : input;
        });
        items.forEach((item) => send(`+${item}`));
    };
    const guard = (item: string): (() => void) => {
        items.add(item);
        if (input?.writable === true) {
            send(`+${item}`);
        } else {
            open();
        }
        return () => {
            items.delete(item);
            send(`-${item}`);
        };
    };
    return {
        guardGroup: (leader) => guard(`g${leader}`),
        // A line break would begin another line.
        guardFolder: (folder) => (folder.includes("\n") ? () => undefined : guard(`f${folder}`)),
    };
}
