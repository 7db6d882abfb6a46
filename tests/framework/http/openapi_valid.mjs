// Checks the OpenAPI document in the file named by the argument: against OpenAPI's own JSON Schema,
// and each schema in it, with its default, as JSON Schema.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const packages = process.env.NODE_PACKAGES;
const { Validator } = await import(
  pathToFileURL(join(packages, "@seriousme/openapi-schema-validator/index.js"))
);
const require = createRequire(join(packages, "x.js"));
const Ajv = require("ajv/dist/2020").default;
const addFormats = require("ajv-formats").default ?? require("ajv-formats");

const text = readFileSync(process.argv[2], "utf8");
const document = JSON.parse(text);
const problems = [];

const result = await new Validator().validate(structuredClone(document));
if (!result.valid) problems.push(JSON.stringify(result.errors, null, 2));

const ajv = new Ajv({ strict: true, strictTypes: false, allErrors: true });
addFormats(ajv);
for (const format of ["int32", "int64", "double"]) ajv.addFormat(format, true);
ajv.addKeyword("components");
ajv.addSchema({ $id: "api:", components: document.components });

function check(schema, where) {
  const inDocument = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api:#/'));
  let matches;
  try {
    matches = ajv.compile(inDocument);
  } catch (error) {
    problems.push(`${where}: ${error.message}`);
    return;
  }
  if ("default" in schema && !matches(schema.default)) {
    problems.push(`${where}: the default ${JSON.stringify(schema.default)} breaks its own schema`);
  }
}

function walk(node, where) {
  if (node === null || typeof node !== "object") return;
  if ("schema" in node) check(node.schema, where);
  for (const [key, child] of Object.entries(node)) walk(child, `${where}/${key}`);
}
walk(document.paths, "paths");
for (const [name, schema] of Object.entries(document.components.schemas)) {
  check(schema, name);
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    check(property, `${name}.${key}`);
  }
}

const ids = Object.values(document.paths).flatMap((path) =>
  Object.values(path).map((operation) => operation.operationId),
);
if (new Set(ids).size !== ids.length) problems.push("two operations have the same operationId");

if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exit(1);
}
console.log(`valid: ${ids.length} operations`);
