import { describe, expect, test } from 'vitest';
import { settings } from '../../src/settings/settings.ts';
import { faultsOf } from './rules.ts';
import { at, keysOf, ofType, readFunctions, readShape, readText, type Shape, settingsOf, shapes } from './shapes.ts';

test.each(shapes)('$name holds every rule', (shape) => {
  expect(faultsOf(shape)).toEqual([]);
});

test('the shapes are those that the deployment supports', () => {
  const names = ['existing-hubs', 'new-hubs', 'private-network', 'two-pairs', 'zone-redundant'];
  expect(shapes.map(({ name }) => name).toSorted()).toEqual(names);
});

/** A change of one resource's JSON, by text: what a wrong edit of the source would have become. */
function planted(from: string, to: string, name = 'existing-hubs'): Shape {
  const shape = readShape(name);
  const text = JSON.stringify(shape);
  if (!text.includes(from)) throw new Error(`${name} has no ${from}`);
  return { ...shape, ...JSON.parse(text.replace(from, to)) };
}

describe('a planted fault is found', () => {
  test.each([
    ['a refused setting', '"STEP_QUEUE":', '"FUNCTIONS_WORKER_RUNTIME":"node","STEP_QUEUE":', 'refuses the setting'],
    ['a refused property', '"siteConfig":{', '"siteConfig":{"alwaysOn":false,', 'refuses the property'],
    [
      'a connection string beside its parts',
      '"STEP_QUEUE":',
      '"AzureWebJobsStorage":"","STEP_QUEUE":',
      'hides its parts',
    ],
    ['a setting that no code reads', '"STEP_QUEUE":', '"STEP_QUE":', 'the app has no setting STEP_QUE'],
    ['a setting left out', '"SETTLE_SECONDS":"10",', '', 'SETTLE_SECONDS is missing'],
    ['a setting that cannot be read', '"SETTLE_SECONDS":"10"', '"SETTLE_SECONDS":"ten"', 'SETTLE_SECONDS: must be'],
    ['a shared key', '"allowSharedKeyAccess":false', '"allowSharedKeyAccess":true', 'allowSharedKeyAccess is true'],
    ['a key among the settings', '"value":', '"x":"AccountKey=1","value":', 'holds a secret'],
    ['a secret in an output', '"outputs":{', '"outputs":{"KEY":"[listKeys(1)]",', 'the output KEY holds a secret'],
    [
      'a role at a whole account',
      "/blobServices/default/containers/hub-snapshots', 'Microsoft.Authorization",
      "', 'Microsoft.Authorization",
      'Storage Blob Data Contributor is given at',
    ],
    ['another role', 'ba92f5b4-2d11-453d-a403-e96b0029c9fe"', '17d1049b-9a84-46fb-8f53-869881c3d3ab"', 'given at'],
    ['a wider action', 'notificationHubs/authorizationRules/listkeys/action', '*', 'the role of a hub allows'],
    [
      'push credentials without being asked',
      'authorizationRules/listkeys/action"',
      'authorizationRules/listkeys/action","Microsoft.NotificationHubs/namespaces/notificationHubs/pnsCredentials/action"',
      'the role of a hub allows',
    ],
    ['an unknown value', '"sku":{"name":"Standard_ZRS"}', '"sku":{"name":"Premium"}', 'cannot be "Premium"'],
    [
      'storage beside the primary',
      '"location":"northeurope","tags":{"azd-env-name":"existing-hubs"},"sku":{"name":"Standard_ZRS"}',
      '"location":"westeurope","tags":{"azd-env-name":"existing-hubs"},"sku":{"name":"Standard_ZRS"}',
      'is in westeurope',
    ],
    [
      'a lifecycle that deletes snapshots',
      '"actions":{"version"',
      '"actions":{"baseBlob"',
      'has an action on baseBlob',
    ],
    ['a publishing password', '/ftp","apiVersion"', '/none","apiVersion"', 'takes a publishing password'],
  ])('%s', (_what, from, to, expected) => {
    expect(faultsOf(planted(from, to)).join('\n')).toContain(expected);
  });

  test.each([
    ['a scale group left out', '"name":"function:restoreSteps"', '"name":"function:steps"', 'keeps ready'],
    ['backends that change snapshots', "StringLike '_pairs/*/dual/*'", "StringLike '*'", 'is given on the condition'],
    ['backends that change versions', 'blobs/add/action",', 'blobs/deleteBlobVersion/action",', 'backend allows more'],
    ['no endpoint for queues', '-queue","apiVersion"', '-table","apiVersion"', 'private endpoints are'],
    [
      'storage open beside a network',
      '"publicNetworkAccess":"Disabled"',
      '"publicNetworkAccess":"Enabled"',
      'publicNetworkAccess is',
    ],
  ])('%s', (_what, from, to, expected) => {
    expect(faultsOf(planted(from, to, 'private-network')).join('\n')).toContain(expected);
  });
});

test('settings that a deployment does not name have the defaults of the app', () => {
  const [given = {}] = settingsOf(readShape('existing-hubs'));
  const presets = settings.filter((one) => one.default !== undefined && one.name !== 'ARM_ENDPOINT');
  expect(presets.map(({ name }) => [name, given[name]])).toEqual(presets.map((one) => [one.name, one.default]));
});

test('every setting can be given: none of the private network has its default', () => {
  const [given = {}] = settingsOf(readShape('private-network'));
  const fixed = ['ARM_ENDPOINT', 'SNAPSHOT_CONTAINER'];
  const left = settings.filter((one) => one.default === given[one.name] && !fixed.includes(one.name));
  expect(left.map(({ name }) => name)).toEqual(['SNAPSHOT_STORAGE']);
});

test('a misspelt setting does not compile: the type names those that can be given', () => {
  const template: unknown = JSON.parse(readText('infra/main.json'));
  const named = Object.keys(keysOf(at(template, 'definitions.appSettings.properties')));
  const byTheTemplate = /^(SNAPSHOT_|ARM_|(PRIMARY|SECONDARY|DRILL)_HUB_)|_URL$/;
  const own = settings.map(({ name }) => name).filter((name) => !byTheTemplate.test(name));
  expect(named.toSorted()).toEqual([...own, 'OTEL_EXPORTER_OTLP_ENDPOINT'].toSorted());
});

test('Node runs with the memory that the benchmarks measure', () => {
  const [given = {}] = settingsOf(readShape('existing-hubs'));
  const figures = readText('docs/PERFORMANCE.md').split('## In Azure')[1] ?? '';
  for (const name of ['languageWorkers__node__arguments', 'MALLOC_ARENA_MAX']) {
    expect(figures).toContain(`\`${name}\` = \`${given[name]}\``);
  }
});

test('the key "reader" is on every function that only reads, "operator" on all that need a key', () => {
  const keys = ofType(readShape('keys'), 'Microsoft.Web/sites/functions/keys').map(({ name }) =>
    name.split('/').slice(1),
  );
  const having = (key: string): string[] => keys.flatMap(([name = '', its]) => (its === key ? [name] : [])).toSorted();
  const { reading, changing, open } = readFunctions();
  expect(having('reader')).toEqual(reading.toSorted());
  expect(having('operator')).toEqual([...reading, ...changing].toSorted());
  expect(open.toSorted()).toEqual(['getCli', 'getConsole']);
});

test('no host of a cloud is assumed', () => {
  const source = ['main', 'modules/app', 'modules/storage', 'modules/network', 'modules/hub-access'].map((name) =>
    readText(`infra/${name}.bicep`),
  );
  expect(source.join('\n')).not.toMatch(/windows\.net|azure\.com|azurewebsites|chinacloudapi|usgovcloudapi/);
});
