// What the API server would accept and the cluster could not run: names that lead nowhere, limits
// that do not fit each other, privileges nobody needs.

const seconds = (duration) => {
  const [, number, unit] = /^(\d+)(s|m)$/.exec(duration);
  return Number(number) * { s: 1, m: 60 }[unit];
};

const selects = (selector, labels) =>
  Object.entries(selector ?? {}).every(([key, value]) => labels?.[key] === value);

const podOf = (workload) => workload.spec.template.spec;
const labelsOf = (workload) => workload.spec.template.metadata.labels;
const nameOf = ({ kind, metadata }) => `${kind}/${metadata.name}`;
const probes = ["startupProbe", "readinessProbe", "livenessProbe"];

const hasPort = (container, wanted) => container.ports?.some(({ name }) => name === wanted);
const opensPort = (workload, port) => podOf(workload).containers.some((c) => hasPort(c, port));

/**
 * The problems of resources that are applied together, a sentence each.
 *
 * `known` is what lies outside of them: `secrets`, names to lists of keys; `paths` that the program
 * serves; `understands(command)`, whether it knows one.
 */
export function problemsOf(resources, known) {
  const problems = [];
  const all = (kind) => resources.filter((resource) => resource.kind === kind);
  const find = (kind, name) => all(kind).find(({ metadata }) => metadata.name === name);
  const workloads = resources.filter(({ spec }) => spec?.template?.spec);
  const selected = (labels) => workloads.filter((workload) => selects(labels, labelsOf(workload)));

  let subject;
  const check = (right, problem) => right || problems.push(`${nameOf(subject)}: ${problem}`);
  const checkEach = (list, rules) => {
    for (subject of list) rules(subject);
  };

  const names = resources.map(nameOf);
  checkEach(resources, (resource) => {
    check(names.filter((name) => name === nameOf(resource)).length === 1, "is there twice");
    check(resource.kind !== "Secret", "is a secret, which must not be in the repository");
  });

  checkEach(workloads, (workload) => {
    const { matchLabels } = workload.spec.selector ?? {};
    const own = matchLabels && selects(matchLabels, labelsOf(workload));
    check(own || workload.kind === "Job", "does not select its own pods");
    const pod = podOf(workload);
    for (const { labelSelector } of pod.topologySpreadConstraints ?? []) {
      check(selects(labelSelector.matchLabels, labelsOf(workload)), "spreads pods of others");
    }
    check(pod.automountServiceAccountToken === false, "mounts a token of the cluster");
    check(pod.enableServiceLinks === false, "gets variables named after Services");
    check(pod.securityContext?.runAsNonRoot, "may run as root");
    check(pod.securityContext?.seccompProfile?.type === "RuntimeDefault", "has no seccomp profile");
    pod.containers.forEach(checkContainer);
  });

  function checkContainer(container) {
    const { securityContext, resources: needs } = container;
    check(securityContext?.allowPrivilegeEscalation === false, "may gain privileges");
    check(securityContext?.capabilities?.drop?.includes("ALL"), "keeps capabilities");
    const { requests, limits } = needs ?? {};
    check(requests?.cpu && requests.memory && limits?.memory, "does not say what it needs");
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      const [map, secret] = [configMapRef?.name, secretRef?.name];
      check(!map || find("ConfigMap", map), `there is no ConfigMap ${map}`);
      check(!secret || known.secrets[secret], `nobody makes the Secret ${secret}`);
    }
    for (const { valueFrom } of container.env ?? []) {
      const { name: secret, key } = valueFrom?.secretKeyRef ?? {};
      check(!secret || known.secrets[secret]?.includes(key), `nobody makes ${key} in ${secret}`);
    }
    for (const probe of probes.filter((name) => container[name]?.httpGet)) {
      const { path, port } = container[probe].httpGet;
      check(known.paths.includes(path), `${probe}: the program has no ${path}`);
      check(hasPort(container, port), `${probe}: there is no port ${port}`);
    }
  }

  const isOurs = (workload) => podOf(workload).containers[0].command?.[0] === "shields";
  const ours = workloads.filter(isOurs);
  checkEach(ours, (workload) => {
    const pod = podOf(workload);
    const [{ command, envFrom = [], securityContext }] = pod.containers;
    const secrets = envFrom.flatMap(({ secretRef }) => known.secrets[secretRef?.name] ?? []);
    check(known.understands(command.slice(1)), `the program does not know ${command.join(" ")}`);
    check(secrets.includes("DATABASE_URL"), "gets no DATABASE_URL");
    check(securityContext?.readOnlyRootFilesystem, "may write to its root file system");
    const account = pod.serviceAccountName;
    check(find("ServiceAccount", account), `there is no ServiceAccount ${account}`);
  });

  checkEach(ours.filter(({ kind }) => kind === "Deployment"), (deployment) => {
    const pod = podOf(deployment);
    const [container] = pod.containers;
    for (const probe of probes) check(container[probe], `has no ${probe}`);
    check(container.livenessProbe?.httpGet?.path === "/livez",
          "would be restarted for what a restart does not mend");

    const sources = (container.envFrom ?? []).map(({ configMapRef }) => configMapRef?.name);
    const settings = Object.assign({}, ...sources.map((name) => find("ConfigMap", name)?.data));
    for (const { name, containerPort } of container.ports ?? []) {
      const setting = { http: "PORT", health: "HEALTH_PORT" }[name];
      check(settings[setting] === String(containerPort),
            `port ${name} is ${containerPort}, but ${setting} is ${settings[setting]}`);
    }
    const serves = container.command.includes("api");
    const delay = serves ? seconds(settings.SHUTDOWN_DELAY ?? "0s") : 0;
    check(!serves || delay >= 5, `closes its port ${delay} s after SIGTERM: balancers hear of it later`);
    const shutdown = seconds(settings.SHUTDOWN_TIMEOUT ?? "10s");
    const grace = pod.terminationGracePeriodSeconds ?? 30;
    check(grace > delay + shutdown,
          `is killed after ${grace} s, but may wait for ${delay} s and shut down for ${shutdown} s`);

    const budgets = all("PodDisruptionBudget").filter(({ spec }) =>
      selects(spec.selector.matchLabels, labelsOf(deployment)));
    check(budgets.length === 1, `has ${budgets.length} PodDisruptionBudgets`);
  });

  checkEach(all("Service"), ({ spec }) => {
    const behind = selected(spec.selector);
    check(behind.length === 1, `has ${behind.length} workloads behind it`);
    for (const { targetPort } of spec.ports) {
      const open = behind.every((workload) => opensPort(workload, targetPort));
      check(open, `there is no port ${targetPort} behind it`);
    }
  });

  checkEach(all("PodDisruptionBudget"), ({ spec }) => {
    check(selected(spec.selector.matchLabels).length === 1, "is not for one workload");
  });

  checkEach(all("HorizontalPodAutoscaler"), ({ spec }) => {
    const { kind, name } = spec.scaleTargetRef;
    const target = find(kind, name);
    check(target, `there is no ${kind} ${name}`);
    check(target?.spec.replicas === undefined, `${name} sets its own number of pods`);
    check(spec.minReplicas <= spec.maxReplicas, "has a minimum above its maximum");
  });

  const policies = all("NetworkPolicy");
  checkEach(policies, ({ spec }) => {
    const to = selected(spec.podSelector.matchLabels);
    check(to.length > 0, "selects nothing");
    for (const type of ["Ingress", "Egress"].filter((name) => spec[name.toLowerCase()])) {
      check(spec.policyTypes.includes(type), `has rules, but not the type ${type}`);
    }
    for (const { port } of (spec.ingress ?? []).flatMap(({ ports }) => ports ?? [])) {
      check(to.every((workload) => opensPort(workload, port)), `there is no port ${port}`);
    }
  });
  const deniesAll = ({ podSelector, policyTypes, ingress, egress }) =>
    Object.keys(podSelector).length === 0 && policyTypes.length === 2 && !ingress && !egress;
  if (!policies.some(({ spec }) => deniesAll(spec))) {
    problems.push("no NetworkPolicy denies what the others do not allow");
  }
  return problems;
}
