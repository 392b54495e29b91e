import assert from "node:assert/strict";

import { MultiArchError } from "../../../../sdk/errors";
import type { OperationContext } from "../../../../sdk/resources/lifecycle";
import { createSpotRequestLifecycle } from "../../../../sdk/resources/spotRequestLifecycle";
import { unknownValue } from "../../../../sdk/resources/values";
import { startAnswering, type Answering } from "../../../support/httpAnswers";

/** The real AWS SDK asks a server that answers for one request. What comes of it in a stack: tests/integration/ec2FleetSpot.test.ts. */
describe("a spot request", () => {
    const lifecycle = createSpotRequestLifecycle({ tries: 3, pauseMs: 5 });
    const inputs = { requestId: "sir-0abc", region: "eu-central-1" };
    const state = { inputs, outputs: inputs };
    const context = {} as OperationContext;
    const environment = { ...process.env };
    const asked: string[] = [];
    let status = "active";
    let refuses: string | undefined;
    let server: Answering;

    before(async () => {
        server = await startAnswering((_request, text) => {
            const form = new URLSearchParams(text);
            asked.push(`${form.get("Action") ?? ""} ${form.get("SpotInstanceRequestId.1") ?? ""}`);
            const item = `<spotInstanceRequestId>sir-0abc</spotInstanceRequestId><state>${status}</state>`;
            const found = `<R><spotInstanceRequestSet><item>${item}</item></spotInstanceRequestSet></R>`;
            const error = `<Error><Code>${refuses ?? ""}</Code><Message>no, and an encoded request</Message></Error>`;
            return refuses === undefined
                ? { status: 200, body: found }
                : { status: 400, body: `<Response><Errors>${error}</Errors></Response>` };
        });
        const AWS_ENDPOINT_URL_EC2 = server.url;
        Object.assign(process.env, { AWS_ENDPOINT_URL_EC2, AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "hunter2" });
    });
    after(async () => {
        process.env = environment;
        await server.stop();
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

    it("is made by nobody here, looked up by who will cancel it, and replaced by every change", async () => {
        const { id, outputs } = await lifecycle.create(inputs, context);
        assert.deepEqual([id, outputs], ["eu-central-1/sir-0abc", inputs]);
        assert.deepEqual(asked, ["DescribeSpotInstanceRequests sir-0abc"]);
        const same = await lifecycle.diff(state, inputs, context);
        assert.equal(same.changed, false);
        const other = await lifecycle.diff(state, { ...inputs, requestId: "sir-1" }, context);
        assert.deepEqual([other.changed, other.replaces], [true, ["requestId"]]);
    });

    it("is there until it has ended, and can be imported", async () => {
        const read = (outputs: object = {}) => {
            return lifecycle.read("eu-central-1/sir-0abc", { inputs: {}, outputs: { ...outputs } }, context);
        };
        for (const open of ["open", "active", "disabled"]) {
            status = open;
            assert.deepEqual(await read(), { id: "eu-central-1/sir-0abc", inputs, outputs: inputs });
        }
        for (const ended of ["closed", "cancelled", "failed"]) {
            status = ended;
            assert.equal(await read(inputs), undefined);
        }
        refuses = "InvalidSpotInstanceRequestID.NotFound";
        assert.equal(await read(), undefined, "there is nothing to import");
        assert.deepEqual((await read(inputs))?.outputs, inputs, "it stays: another account would be told the same");
    });

    it("is cancelled when it is deleted", async () => {
        await lifecycle.delete(state, context);
        assert.deepEqual(asked, ["CancelSpotInstanceRequests sir-0abc"]);
    });

    it("is an error where it is not known, for it may go on asking for machines in another account", async () => {
        refuses = "InvalidSpotInstanceRequestID.NotFound";
        for (const work of [() => lifecycle.create(inputs, context), () => lifecycle.delete(state, context)]) {
            await assert.rejects(work, (error: unknown) => {
                assert.ok(error instanceof MultiArchError);
                assert.equal(error.code, "builder-ec2-unknown");
                assert.match(error.message, /sir-0abc in eu-central-1 with the AWS credentials[^]*pulumi state delete/);
                return true;
            });
        }
        assert.equal(asked.filter((action) => action.startsWith("Describe")).length, 3, "a new one has some time");
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

    it("says what is at stake where EC2 has not done it", async () => {
        refuses = "InvalidParameterValue";
        await assert.rejects(lifecycle.delete(state, context), (error: unknown) => {
            assert.ok(error instanceof MultiArchError);
            assert.equal(error.code, "builder-ec2");
            assert.match(
                error.message,
                /sir-0abc in eu-central-1 cannot be cancelled[^]*next: Run it again: as long as/,
            );
            return true;
        });
    });
});
