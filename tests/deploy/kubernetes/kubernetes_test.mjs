// The manifests of deploy/kubernetes: each field is one of the API's, each name leads somewhere, and the
// settings are such as the program takes.
//
//   node kubernetes_test.mjs ROOT_OF_THE_REPOSITORY PATH_OF_SHIELDS
//
// The overlays are rendered by kubectl. Where there is none that can (Debian 12 has one of 2021) the
// base is checked, and of the overlays the resources that they add; the test says so.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import test from "node:test";

import { problemsOf } from "./references.mjs";
import { typeErrors } from "./types.mjs";

const { parseAllDocuments } = createRequire(join(process.env.NODE_PACKAGES, "x.js"))("yaml");
const [root, shields] = process.argv.slice(2);
const folder = join(root, "deploy/kubernetes");
const read = (...path) => readFileSync(join(...path), "utf8");

function run(command, args, env = {}) {
  const options = { encoding: "utf8", env: { ...process.env, ...env } };
  const { status, stdout } = spawnSync(command, args, options);
  return { status, stdout: stdout ?? "" };
}

function documents(text) {
  return parseAllDocuments(text, { strict: true, uniqueKeys: true }).map((document) => {
    assert.deepEqual(document.errors.map(String), []);
    return document.toJS();
  });
}

/** KEY=value lines, as kustomize and as the program read them. */
function settingsIn(text) {
  const lines = text.matchAll(/^([A-Z_]+)=(.*)$/gm);
  return Object.fromEntries([...lines].map(([, key, value]) => [key, value]));
}

/** base/, put together without kubectl: its files and the ConfigMaps it generates. */
function readBase() {
  const base = join(folder, "base");
  const [kustomization] = documents(read(base, "kustomization.yaml"));
  const files = readdirSync(base).filter((name) => /^(?!kustomization).*\.yaml$/.test(name));
  assert.deepEqual(files.sort(), [...kustomization.resources].sort(), "what kustomization.yaml lists");
  const generated = kustomization.configMapGenerator.map(({ name, envs }) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name },
    data: Object.assign({}, ...envs.map((file) => settingsIn(read(base, file)))),
  }));
  return [...kustomization.resources.flatMap((file) => documents(read(base, file))), ...generated];
}

/** Undefined where no kubectl can do it. */
function render(overlay) {
  const version = run("kubectl", ["version", "--client", "--output=json"]);
  const [, major] = /"kustomizeVersion": "v(\d+)/.exec(version.stdout) ?? [];
  if (!(major >= 5)) return undefined;
  const { status, stdout } = run("kubectl", ["kustomize", join(folder, "overlays", overlay)]);
  assert.equal(status, 0, `kubectl kustomize overlays/${overlay}`);
  return documents(stdout);
}

/** The resources that an overlay adds to the base: its own files, but for patches. */
function addedBy(overlay) {
  const place = join(folder, "overlays", overlay);
  const [kustomization] = documents(read(place, "kustomization.yaml"));
  const files = kustomization.resources.filter((file) => file.endsWith(".yaml"));
  return files.flatMap((file) => documents(read(place, file)));
}

/** The Secrets that the documentation has its reader make: name to keys. */
function documentedSecrets() {
  const commands = read(root, "docs/kubernetes.md").replaceAll("\\\n", "");
  const secrets = {};
  for (const [, name, options] of commands.matchAll(/create secret generic (\w+)(.*)/g)) {
    secrets[name] = [...options.matchAll(/--from-literal=(\w+)=/g)].map(([, key]) => key);
  }
  return secrets;
}

const helpOf = new Map(); // by command: asked for once
function understands(command) {
  const words = command.join(" ");
  if (!helpOf.has(words)) helpOf.set(words, run(shields, [...command, "--help"]).stdout);
  return helpOf.get(words).includes(`Usage: shields ${words} `);
}

const known = {
  secrets: documentedSecrets(),
  paths: JSON.parse(run(shields, ["routes", "--json"]).stdout).map(({ path }) => path),
  understands,
};
const base = readBase();
const overlays = Object.fromEntries(["dev", "prod"].map((name) => [name, render(name)]));
const rendered = Object.entries(overlays).filter(([, resources]) => resources);
const every = [["base", base], ...rendered];

const named = (resources, kind, name) =>
  resources.find((resource) => resource.kind === kind && resource.metadata.name === name);
const podOf = (resources, kind, name) => named(resources, kind, name).spec.template.spec;
const containerOf = (resources, name) => podOf(resources, "Deployment", name).containers[0];

/** The base with each of the mistakes: [what is to be found, function that makes it]. */
function withMistakes(mistakes) {
  return mistakes.map(([, make]) => {
    const copy = structuredClone(base);
    make(copy);
    return copy;
  });
}

test("every field is one of the API's", () => {
  const added = Object.keys(overlays).map((name) => [`overlays/${name}`, addedBy(name)]);
  const all = [...every, ...added];
  const errors = typeErrors(all.map(([, resources]) => resources));
  all.forEach(([name], i) => assert.deepEqual(errors[i], [], name));
});

test("a field that is misspelt, missing or of another type is found", () => {
  const mistakes = [
    [/readynessProbe.* does not exist/, (r) => (containerOf(r, "api").readynessProbe = {})],
    [/runAsRoot.* does not exist/, (r) => (podOf(r, "Job", "migrate").securityContext.runAsRoot = 1)],
    [/'selector' is missing/, (r) => delete named(r, "Deployment", "worker").spec.selector],
    [/not assignable to .* 'number'/, (r) => (named(r, "Deployment", "worker").spec.replicas = "2")],
    [/no exported member/, (r) => (named(r, "Deployment", "worker").kind = "Deploymnt")],
  ];
  typeErrors(withMistakes(mistakes)).forEach((errors, i) => {
    assert.equal(errors.length, 1, errors.join("\n"));
    assert.match(errors[0], mistakes[i][0]);
  });
});

test("every name leads somewhere, and limits fit each other", () => {
  for (const [name, resources] of every) assert.deepEqual(problemsOf(resources, known), [], name);
});

test("a name that leads nowhere, or a limit that does not fit, is found", () => {
  const component = "app.kubernetes.io/component";
  const grace = "terminationGracePeriodSeconds";
  const scaler = (r) => named(r, "HorizontalPodAutoscaler", "api").spec;
  const deployment = (r, name) => named(r, "Deployment", name).spec;
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "shields" } };
  const mistakes = [
    [/no \/readyy/, (r) => (containerOf(r, "api").readinessProbe.httpGet.path = "/readyy")],
    [/no port web/, (r) => (containerOf(r, "api").livenessProbe.httpGet.port = "web")],
    [/no port web/, (r) => (named(r, "Service", "api").spec.ports[0].targetPort = "web")],
    [/not know shields wrker/, (r) => (containerOf(r, "worker").command = ["shields", "wrker"])],
    [/no ConfigMap set/, (r) => (containerOf(r, "worker").envFrom[0].configMapRef.name = "set")],
    [/the Secret sheilds/, (r) => (containerOf(r, "worker").envFrom[1].secretRef.name = "sheilds")],
    [/no ServiceAccount/, (r) => (podOf(r, "Job", "migrate").serviceAccountName = "sheilds")],
    [/its own pods/, (r) => (deployment(r, "api").selector.matchLabels[component] = "web")],
    [/0 workloads/, (r) => (named(r, "Service", "api").spec.selector[component] = "web")],
    [/no Deployment web/, (r) => (scaler(r).scaleTargetRef.name = "web")],
    [/own number of pods/, (r) => (deployment(r, "api").replicas = 2)],
    [/port 1 s after SIGTERM/, (r) => (named(r, "ConfigMap", "settings").data.SHUTDOWN_DELAY = "1s")],
    [/killed after 20 s/, (r) => (podOf(r, "Deployment", "worker")[grace] = 20)],
    [/PORT is 9000/, (r) => (named(r, "ConfigMap", "settings").data.PORT = "9000")],
    [/no livenessProbe/, (r) => delete containerOf(r, "scheduler").livenessProbe],
    [/a secret/, (r) => r.push(secret)],
    [/denies/, (r) => r.splice(r.indexOf(named(r, "NetworkPolicy", "default-deny")), 1)],
    [/as root/, (r) => delete podOf(r, "Job", "migrate").securityContext.runAsNonRoot],
    [/capabilities/, (r) => delete containerOf(r, "worker").securityContext.capabilities],
  ];
  withMistakes(mistakes).forEach((resources, i) => {
    assert.match(problemsOf(resources, known).join("\n"), mistakes[i][0]);
  });
});

test("the program takes the settings, and .env.example explains them", () => {
  const explained = Object.keys(settingsIn(read(root, ".env.example").replaceAll(/^# /gm, "")));
  for (const [name, resources] of every) {
    const settings = resources.find(
      ({ kind, metadata }) => kind === "ConfigMap" && metadata.name.startsWith("settings"),
    ).data;
    assert.deepEqual(Object.keys(settings).filter((key) => !explained.includes(key)), [], name);
    const secret = { DATABASE_URL: "postgresql://aegis@postgres/aegis_db", ENV_FILE: "/dev/null" };
    assert.equal(run(shields, ["config"], { ...settings, ...secret }).status, 0, name);
  }
});

test("overlays put everything into their namespace, with one image", (t) => {
  if (rendered.length === 0) return t.skip("no kubectl with kustomize 5: overlays are not checked");
  for (const [name, resources] of rendered) {
    const namespace = resources.find(({ kind }) => kind === "Namespace").metadata.name;
    const inside = resources.filter(({ kind }) => kind !== "Namespace");
    assert.deepEqual(inside.filter(({ metadata }) => metadata.namespace !== namespace), [], name);
    const containers = inside.flatMap(({ spec }) => spec?.template?.spec.containers ?? []);
    const images = containers.map(({ image }) => image).filter((image) => image.includes("shields"));
    assert.equal(new Set(images).size, 1, images.join());
    assert.match(images[0], /shields:./, name);
  }
});

test("pods run the image's program as the image's user", () => {
  const dockerfile = read(root, "deploy/Dockerfile");
  const [, user, group] = /^USER (\d+):(\d+)$/m.exec(dockerfile);
  const [, program] = /^ENTRYPOINT \["(\w+)"\]$/m.exec(dockerfile);
  for (const { spec } of base.filter(({ kind }) => kind === "Deployment" || kind === "Job")) {
    const { securityContext, containers } = spec.template.spec;
    assert.deepEqual([securityContext.runAsUser, securityContext.runAsGroup], [+user, +group]);
    assert.equal(containers[0].command[0], program);
  }
});
