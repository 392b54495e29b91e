import { startAwsPlugin } from "./server";

// The engine reads the port from the first line, and ends this process when it needs it no more.
void startAwsPlugin(process.env["AWS_PLUGIN_VERSION"] ?? "").then((port) => console.log(port));
