import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { readFunctions } from '../infra/shapes.ts';

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const guide = read('docs/DEPLOY.md');

interface Block {
  /** `azure`: needs a subscription. */
  readonly mark: string;
  readonly lines: readonly string[];
}

/** Blocks of the shell, without comments, a command to a line. */
const blocks: readonly Block[] = [...guide.matchAll(/^```sh ?(\w*)\n(.*?)^```$/gms)].map(
  ([, mark = '', body = '']) => ({
    mark,
    lines: body
      .replaceAll(/ \\\n\s*/g, ' ')
      .split('\n')
      .map((line) => line.replace(/\s+# .*$/, '').trim())
      .filter((line) => line !== ''),
  }),
);
const inAzure = blocks.filter(({ mark }) => mark === 'azure').flatMap(({ lines }) => lines);

/** What is executed without a subscription: by CI itself, or by a test. */
const executed: Readonly<Record<string, { readonly file: string; readonly as: string }>> = {
  'npm ci': { file: '.ci/run', as: 'npm ci' },
  'npm run package': { file: 'test/e2e/package.test.ts', as: 'local/package.ts' },
  'infra/check': { file: '.ci/run', as: 'begin infra infra/check' },
  'infra/check --write': { file: 'infra/compiler/check.ts', as: "'--write'" },
};
test('every command is executed here, or marked as one that needs a subscription', () => {
  expect(blocks.length).toBeGreaterThan(7);
  const commands = blocks
    .filter(({ mark }) => mark === '')
    .flatMap(({ lines }) => lines.flatMap((line) => line.split(' && ')));
  expect(commands.filter((command) => executed[command] === undefined)).toEqual([]);
  for (const { file, as } of Object.values(executed)) expect(read(file)).toContain(as);
});

test('every value that azd is given is read by the parameters, and every one that they read is explained', () => {
  const parameters = new Set(
    [...read('infra/main.bicepparam').matchAll(/readEnvironmentVariable\(\s*'(\w+)'/g)].map(([, name = '']) => name),
  );
  const given = inAzure.flatMap((line) => /^azd env set (\w+) /.exec(line)?.[1] ?? []);
  const table = guide.split('| name | default | for |')[1]?.split('\n\n')[0] ?? '';
  const explained = [...table.matchAll(/`([A-Z_]{4,})`/g)].map(([, name = '']) => name);
  expect(given.filter((name) => !parameters.has(name))).toEqual([]);
  // azd itself sets the name of the environment.
  expect([...new Set(explained)].toSorted()).toEqual(
    [...parameters].filter((name) => name !== 'AZURE_ENV_NAME').toSorted(),
  );
});

test('variables of the commands are outputs of the template, or set before', () => {
  const outputs = [...read('infra/main.bicep').matchAll(/^output (\w+) /gm)].map(([, name]) => name);
  const set = inAzure.flatMap((line) => [...line.matchAll(/\b([A-Z_]{3,})=/g)].map(([, name]) => name));
  const used = inAzure.flatMap((line) => [...line.matchAll(/\$([A-Z_]+)/g)].map(([, name]) => name));
  const known = [...outputs, ...set, 'REGION', 'GROUP', 'APP'];
  expect(used.length).toBeGreaterThan(8);
  expect(used.filter((name) => !known.includes(name))).toEqual([]);
});

test('templates and parameters that commands name are there', () => {
  const files = inAzure.flatMap((line) =>
    [...line.matchAll(/\binfra\/[\w/-]+\.bicep(?:param)?/g)].map(([file]) => file),
  );
  expect(files.filter((file) => !existsSync(join(root, file)) && file !== 'infra/my-pairs.bicepparam')).toEqual([]);
  const [, given = ''] =
    /--parameters (appName=.*)$/.exec(inAzure.find((line) => line.includes('keys.bicep')) ?? '') ?? [];
  const parameters = [...read('infra/keys.bicep').matchAll(/^param (\w+) /gm)].map(([, name]) => name);
  expect([...given.matchAll(/(\w+)=/g)].map(([, name]) => name)).toEqual(parameters);
});

test('commands of the terminal tool are its commands', () => {
  const known = readdirSync(join(root, 'src/cli/commands'))
    .map((file) => read(`src/cli/commands/${file}`))
    .join('\n');
  const used = inAzure.flatMap((line) => /^node notification-hubs-dr\.mjs (\w+)/.exec(line)?.[1] ?? []);
  expect(used.length).toBeGreaterThan(3);
  expect(used.filter((name) => !known.includes(`command('${name}`))).toEqual([]);
  // All of them are executed, against the local stack.
  const executed = read('test/e2e/cli.test.ts');
  const lines = inAzure.flatMap((line) => /^node notification-hubs-dr\.mjs (.+)$/.exec(line)?.[1] ?? []);
  const asCall = (line: string): string =>
    `dr(${line
      .split(' ')
      .map((word) => `'${word}'`)
      .join(', ')})`;
  expect(lines.filter((line) => !executed.includes(asCall(line)))).toEqual([]);
});

test('the comparison with the quickstart has each of its 25 points', () => {
  const points = [...guide.matchAll(/^\| (\d+) \| [^|]+ \| [^|]+ \|$/gm)].map(([, point]) => Number(point));
  expect(points).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
});

test('azd deploys what npm run package makes, to the app that the template tags', () => {
  const manifest = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')));
  const project = read('azure.yaml');
  const [, service] = /^services:\n {2}(\w+):$/m.exec(project) ?? [];
  expect(read('infra/modules/app.bicep')).toContain(`'azd-service-name': '${service}'`);
  expect(project).toMatch(/^ {4}dist: out\/package$/m);
  expect(read('local/package.ts')).toContain("join(out, 'package')");
  const hooks = [...project.matchAll(/npm run (\w+)/g)].map(([, script = '']) => script);
  expect(hooks.filter((script) => manifest.scripts[script] === undefined)).toEqual([]);
  // azd refuses `remoteBuild: false` beside a list that leaves packages out.
  expect(project).toMatch(/^ {4}remoteBuild: false$/m);
  expect(read('.funcignore')).not.toContain('node_modules');
});

test('it counts the groups of instances as they are', () => {
  const { queue = [], timer = [] } = readFunctions();
  const words = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven'];
  // All HTTP functions share one.
  const groups = 1 + timer.length + queue.length;
  expect(guide).toContain(`\`http\`, ${words[timer.length]} timers, ${words[queue.length]} queues of steps`);
  for (const text of [guide, read('infra/main.bicep')])
    expect(text.toLowerCase()).toContain(`two instances of each of ${words[groups]} groups`);
  expect(guide).toContain(`${2 * groups} x 2 GB`);
});
