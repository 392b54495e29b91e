import { readdirSync, readFileSync } from "node:fs";

/** A process as the system lists it. */
export interface ListedProcess {
    readonly pid: number;
    /** Its arguments, as anybody on the machine can read them. */
    readonly argv: string;
}

/** All processes. One that ends while they are read is left out. */
export function listProcesses(): ListedProcess[] {
    return readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .flatMap((name) => {
            const argv = readProc(name, "cmdline");
            return argv === "" ? [] : [{ pid: Number(name), argv: argv.replaceAll("\0", " ") }];
        });
}

/** The processes that were started with this in their environment. */
export function findByEnvironment(entry: string): ListedProcess[] {
    return listProcesses().filter(({ pid }) => readProc(String(pid), "environ").split("\0").includes(entry));
}

/** The processes that another one has started. */
export function findChildren(parent: number): ListedProcess[] {
    return listProcesses().filter(({ pid }) => {
        const fields = readProc(String(pid), "stat");
        // The name of the program is in brackets and may hold spaces; field 4 is the second after it.
        return Number(fields.slice(fields.lastIndexOf(")") + 2).split(" ")[1]) === parent;
    });
}

/** Looks at all processes again and again until `stop`, and gives every argv that was ever seen. */
export function watchProcesses(): { stop: () => Set<string> } {
    const seen = new Set<string>();
    const look = (): void => listProcesses().forEach(({ argv }) => seen.add(argv));
    const timer = setInterval(look, 25);
    return {
        stop() {
            clearInterval(timer);
            look();
            return seen;
        },
    };
}

function readProc(pid: string, file: string): string {
    try {
        return readFileSync(`/proc/${pid}/${file}`, "utf8");
    } catch {
        return "";
    }
}
