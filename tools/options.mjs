import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { repoRoot } from "./lib/paths.mjs";

// Writes docs/buildx-options.md. It reads the compiled table: run `npm run build` after changing it.
const { writeOptionsTable } = createRequire(import.meta.url)("../dist/cli/convert/optionsTable.js");
writeFileSync(join(repoRoot, "docs", "buildx-options.md"), writeOptionsTable());
