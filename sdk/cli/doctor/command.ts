import type { Command } from "../command";
import { examineBuilders, examineMachine } from "./examine";
import { helpText } from "./help";
import { readNodes } from "./nodes";
import { readOptions } from "./options";
import { isFit, writeJson, writeReport } from "./report";

/** `pulumi-multiarch doctor`: what a build would say of its builders, without a build. */
export const doctorCommand: Command = {
    summary: "checks builders, and says for each what is fit and what is not",
    help: helpText,
    async run(args, context) {
        const { inputs, json, timeoutMs } = await readOptions(args, context);
        const nodes = readNodes(inputs);
        const [tools, builders] = await Promise.all([examineMachine(), examineBuilders(nodes, { timeoutMs })]);
        context.write(json ? writeJson(tools, builders) : writeReport(tools, builders));
        return isFit(tools, builders) ? 0 : 1;
    },
};
