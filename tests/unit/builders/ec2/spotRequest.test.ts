import assert from "node:assert/strict";
import * as http from "node:http";
import type { AddressInfo } from "node:net";

import { MultiArchError } from "../../../../sdk/errors";
import type { OperationContext } from "../../../../sdk/resources/lifecycle";
import { spotRequestLifecycle as lifecycle } from "../../../../sdk/resources/spotRequestLifecycle";
import { unknownValue } from "../../../../sdk/resources/values";

/** The real AWS SDK asks a server that answers for one request. What comes of it in a stack: tests/integration/ec2FleetSpot.test.ts. */
describe("a spot request", () => {
    const inputs = { requestId: "sir-0abc", region: "eu-central-1" };
    const state = { inputs, outputs: inputs };
    const context = {} as OperationContext;
    const environment = { ...process.env };
    const asked: string[] = [];
    let status = "active";
    let refuses: string | undefined;
    let server: http.Server;

    before(async () => {
        server = http.createServer((request, response) => {
            const chunks: Buffer[] = [];
            request.on("data", (chunk: Buffer) => chunks.push(chunk));
            request.on("end", () => {
                const form = new URLSearchParams(Buffer.concat(chunks).toString());
                asked.push(`${form.get("Action") ?? ""} ${form.get("SpotInstanceRequestId.1") ?? ""}`);
                const item = `<spotInstanceRequestId>sir-0abc</spotInstanceRequestId><state>${status}</state>`;
                const found = `<R><spotInstanceRequestSet><item>${item}</item></spotInstanceRequestSet></R>`;
                const error = `<Error><Code>${refuses ?? ""}</Code><Message>no, and an encoded request</Message></Error>`;
                const body = refuses === undefined ? found : `<Response><Errors>${error}</Errors></Response>`;
                response.writeHead(refuses === undefined ? 200 : 400, { "content-type": "text/xml" }).end(body);
            });
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const AWS_ENDPOINT_URL_EC2 = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        Object.assign(process.env, { AWS_ENDPOINT_URL_EC2, AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "hunter2" });
    });
    after(() => {
        process.env = environment;
        server.closeAllConnections();
        server.close();
    });
    beforeEach(() => {
        asked.length = 0;
        status = "active";
        refuses = undefined;
    });

    it("is refused where it is none, with all that is wrong", async () => {
        const problemsOf = async (given: object) => {
            const { problems } = await lifecycle.check({ ...inputs, ...given }, undefined, context);
            return problems.map(({ property }) => property);
        };
        assert.deepEqual(await problemsOf({}), []);
        assert.deepEqual(await problemsOf({ requestId: unknownValue, region: unknownValue }), []);
        // What an instance on demand has.
        assert.deepEqual(await problemsOf({ requestId: "" }), ["requestId"]);
        assert.deepEqual(await problemsOf({ requestId: "i-0abc", region: "Frankfurt" }), ["requestId", "region"]);
    });

    it("is made by nobody here, and replaced by every change", async () => {
        const { id, outputs } = await lifecycle.create(inputs, context);
        assert.deepEqual([id, outputs, asked], ["eu-central-1/sir-0abc", inputs, []]);
        const same = await lifecycle.diff(state, inputs, context);
        assert.equal(same.changed, false);
        const other = await lifecycle.diff(state, { ...inputs, requestId: "sir-1" }, context);
        assert.deepEqual([other.changed, other.replaces], [true, ["requestId"]]);
    });

    it("is there as long as it can ask for machines, and can be imported", async () => {
        const read = () => lifecycle.read("eu-central-1/sir-0abc", { inputs: {}, outputs: {} }, context);
        for (const open of ["open", "active", "disabled"]) {
            status = open;
            assert.deepEqual(await read(), { id: "eu-central-1/sir-0abc", inputs, outputs: inputs });
        }
        for (const ended of ["closed", "cancelled", "failed"]) {
            status = ended;
            assert.equal(await read(), undefined);
        }
        refuses = "InvalidSpotInstanceRequestID.NotFound";
        assert.equal(await read(), undefined);
    });

    it("is cancelled when it is deleted, also when nobody knows it any more", async () => {
        await lifecycle.delete(state, context);
        refuses = "InvalidSpotInstanceRequestID.NotFound";
        await lifecycle.delete(state, context);
        assert.deepEqual(asked, Array(2).fill("CancelSpotInstanceRequests sir-0abc"));
    });

    it("stays where it cannot be cancelled, with the reason", async () => {
        refuses = "UnauthorizedOperation";
        await assert.rejects(lifecycle.delete(state, context), (error: unknown) => {
            assert.ok(error instanceof MultiArchError);
            assert.equal(error.code, "builder-ec2-denied");
            assert.match(error.message, /sir-0abc in eu-central-1 cannot be cancelled: UnauthorizedOperation/);
            assert.doesNotMatch(error.message, /encoded request|hunter2/);
            return true;
        });
    });
});
