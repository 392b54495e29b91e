// The instance metadata service, version 2 only, for one instance: a process of its own, as it lives in another network.
// Usage: CREDENTIALS=... node ec2Metadata.mjs LOG ROLE. Every connection and every request is a line of the log.
import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";

const [, , logFile = "", role = ""] = process.argv;
const credentials = process.env.CREDENTIALS ?? "{}";
const tokens = new Set();

const server = createServer((request, response) => {
    const { method, url = "/" } = request;
    appendFileSync(logFile, `${method} ${url}\n`);
    const answer = (/** @type {number} */ status, /** @type {string} */ body = "") => {
        response.writeHead(status, { "content-type": "text/plain" }).end(body);
    };
    if (method === "PUT" && url === "/latest/api/token") {
        const token = randomBytes(16).toString("hex");
        tokens.add(token);
        response.setHeader("x-aws-ec2-metadata-token-ttl-seconds", "21600");
        return answer(200, token);
    }
    // Version 1 asked without a token.
    if (!tokens.has(request.headers["x-aws-ec2-metadata-token"])) {
        return answer(401);
    }
    const list = "/latest/meta-data/iam/security-credentials/";
    if (method === "GET" && url === list) {
        return answer(200, role);
    }
    return method === "GET" && url === `${list}${role}` ? answer(200, credentials) : answer(404);
});
server.on("connection", (socket) => appendFileSync(logFile, `connection ${socket.remoteAddress}\n`));
server.listen(80, "169.254.169.254");
