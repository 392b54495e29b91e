import assert from "node:assert/strict";

import { addDays, daysUntil, planRenewal, type AuthorityTimes } from "../../../sdk/certificates/renewal";

const lifetimes = { validityDays: 90, renewBeforeDays: 30, caValidityDays: 1_825 };
const start = new Date("2026-01-01T00:00:00Z");
const day = (days: number): Date => addDays(start, days);
const authority = (addedAt: number, end: number): AuthorityTimes => ({ addedAt: day(addedAt), notAfter: day(end) });
const planOn = (days: number, authorities: AuthorityTimes[], issuedUntil: number) =>
    planRenewal(authorities, day(issuedUntil), lifetimes, day(days));

describe("the plan of renewals", () => {
    it("does nothing while everything lasts", () => {
        const plan = planOn(10, [authority(0, 1_825)], 90);
        assert.deepEqual(plan, { kept: [0], addsAuthority: false, signer: 0, issues: false, reasons: [] });
    });

    it("issues anew inside the window, and not a day before", () => {
        assert.equal(planOn(60, [authority(0, 1_825)], 90).issues, false);
        const plan = planOn(61, [authority(0, 1_825)], 90);
        assert.equal(plan.issues, true);
        assert.deepEqual(plan.reasons, ["certificates expire in 29 days"]);
    });

    it("adds an authority while the old one can still sign for a whole lifetime and window", () => {
        assert.equal(planOn(0, [authority(-500, 150)], 90).addsAuthority, false);
        const plan = planOn(1, [authority(-500, 150)], 90);
        assert.deepEqual([plan.addsAuthority, plan.signer], [true, 0]);
        assert.deepEqual(plan.reasons, ["the authority expires in 149 days"]);
    });

    it("lets a new authority sign only when it has been trusted for a window", () => {
        const both = [authority(-500, 150), authority(0, 1_825)];
        assert.equal(planOn(29, both, 40).signer, 0);
        assert.equal(planOn(30, both, 40).signer, 1);
    });

    it("trusts the old authority until its end", () => {
        const both = [authority(-500, 150), authority(0, 1_825)];
        assert.deepEqual(planOn(149, both, 200).kept, [0, 1]);
        assert.deepEqual(planOn(150, both, 200).kept, [1]);
    });

    it("starts again when nothing has been done for too long", () => {
        const plan = planOn(2_000, [authority(0, 1_825)], 90);
        assert.deepEqual([plan.kept, plan.addsAuthority, plan.signer, plan.issues], [[], true, "new", true]);
        assert.deepEqual(plan.reasons, ["certificates expired 1910 days ago", "the authority has expired"]);
    });

    it("never leaves a day without a valid certificate that everybody trusts, whenever up runs each month", () => {
        let authorities = [authority(0, 400)];
        let issued = { until: 90, by: 0 };
        for (let today = 0; today < 3_000; today += 28) {
            const plan = planOn(today, authorities, issued.until);
            const trustedBefore = authorities.map(({ notAfter }) => notAfter.getTime());
            assert.ok(trustedBefore.includes(timeOf(authorities[issued.by])), "who issued it is trusted");
            const signer = plan.signer === "new" ? undefined : authorities[plan.signer];
            const next = plan.kept.map((place) => authorities[place]).filter((one) => one !== undefined);
            if (plan.addsAuthority) {
                next.push(authority(today, today + 400));
            }
            if (plan.issues) {
                assert.ok(signer !== undefined && daysUntil(day(today), signer.addedAt) >= Math.min(30, today));
                const until = Math.min(today + 90, daysUntil(signer.notAfter, start));
                assert.ok(until - today >= 60, "it lasts");
                issued = { until, by: next.indexOf(signer) };
            } else {
                const by = authorities[issued.by];
                issued = { ...issued, by: by === undefined ? -1 : next.indexOf(by) };
            }
            assert.ok(issued.by >= 0 && issued.until > today + 28, `day ${today}`);
            authorities = next;
        }
    });
});

function timeOf(authority: AuthorityTimes | undefined): number {
    return authority?.notAfter.getTime() ?? 0;
}
