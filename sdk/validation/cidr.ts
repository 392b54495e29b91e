import { isIP } from "node:net";

import type { InputProblem } from "../resources/lifecycle";
import { unknownValue } from "../resources/values";

/** A range of IPv4 or IPv6, as security groups take it. */
export function checkCidr(property: string, value: unknown): InputProblem[] {
    if (typeof value !== "string" || value === unknownValue) {
        return [];
    }
    const [address = "", length = ""] = value.split("/");
    const most = { 4: 32, 6: 128 }[isIP(address)];
    const isRange = most !== undefined && /^\d{1,3}$/.test(length) && Number(length) <= most;
    return isRange && value.split("/").length === 2
        ? []
        : [{ property, reason: "is not a range of addresses, such as 10.0.0.0/8" }];
}
