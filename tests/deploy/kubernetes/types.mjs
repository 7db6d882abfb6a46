// Resources against the types of the Kubernetes API, as strictly as a compiler is: an unknown field, a
// missing one and a wrong type are errors.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const packages = process.env.NODE_PACKAGES;
const typescript = createRequire(join(packages, "x.js"))("typescript");

/** "apps/v1" is in apps/v1, "networking.k8s.io/v1" in networking/v1, "v1" in core/v1. */
function moduleOf(apiVersion) {
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/") : ["core", apiVersion];
  return join(packages, "kubernetes-types", group.split(".")[0], version);
}

function asTypeScript(resources) {
  const constants = resources.map((resource, i) => {
    const from = JSON.stringify(moduleOf(resource.apiVersion));
    return `import type { ${resource.kind} as Kind${i} } from ${from};
export const resource${i}: Kind${i} = ${JSON.stringify(resource, null, 2)};`;
  });
  return constants.join("\n");
}

/** What the compiler says of each of several lists of resources: a list of messages for each. */
export function typeErrors(lists) {
  const folder = mkdtempSync(join(tmpdir(), "kubernetes-types-"));
  try {
    const files = lists.map((resources, i) => {
      const file = join(folder, `list${i}.ts`);
      writeFileSync(file, asTypeScript(resources));
      return file;
    });
    const options = { noEmit: true, strict: true, types: [], lib: ["lib.es2022.d.ts"] };
    const program = typescript.createProgram(files, options);
    const diagnostics = typescript.getPreEmitDiagnostics(program);
    const errors = files.map(() => []);
    for (const { file, start, messageText } of typescript.getPreEmitDiagnostics(program)) {
      const message = typescript.flattenDiagnosticMessageText(messageText, "\n");
      const list = files.indexOf(file?.fileName);
      if (list < 0) throw new Error(`not in the resources: ${message}`);
      const { line } = file.getLineAndCharacterOfPosition(start);
      errors[list].push(`${message}\n  at: ${file.text.split("\n")[line].trim()}`);
    }
    return errors;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
