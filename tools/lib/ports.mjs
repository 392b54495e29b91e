import { createServer } from "node:net";
import { SetupError } from "./console.mjs";

const TRIES = 100;

/**
 * The first port from the wanted one on that nothing listens on and that is not promised to something else.
 * @param {number} wanted
 * @param {{ host?: string, taken?: ReadonlySet<number> }} [options]
 */
export async function findFreePort(wanted, { host = "127.0.0.1", taken = new Set() } = {}) {
    for (let port = wanted; port < wanted + TRIES; port++) {
        if (!taken.has(port) && (await isFree(port, host))) {
            return port;
        }
    }
    throw new SetupError(`ports ${wanted} to ${wanted + TRIES - 1} of ${host} are all in use`, {
        hint: "See what listens there with: ss -ltnp",
    });
}

/**
 * @param {number} port
 * @param {string} host
 * @returns {Promise<boolean>}
 */
function isFree(port, host) {
    return new Promise((resolve) => {
        const server = createServer();
        server.once("error", () => resolve(false));
        server.listen(port, host, () => server.close(() => resolve(true)));
    });
}
