import { existsSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";

/** Takes away what BuildKit leaves of a parent of control groups. Gives how many there were: v1 has one for each resource. */
export function removeCgroups(name: string): number {
    const root = "/sys/fs/cgroup";
    const parents = [root, ...readdirSync(root).map((part) => join(root, part))].map((part) => join(part, name));
    const found = parents.filter((folder) => existsSync(folder));
    for (const folder of found) {
        const inside = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isDirectory());
        const folders = inside.map((one) => join(one.parentPath, one.name)).sort();
        [folder, ...folders].reverse().forEach((one) => rmdirSync(one));
    }
    return found.length;
}
