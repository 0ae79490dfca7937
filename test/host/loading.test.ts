import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { startAzurite } from '../../local/azurite.ts';
import { spawnHost } from '../../local/host/spawn-host.ts';
import { startInProcess } from './in-process.ts';
import { makeApp } from './make-app.ts';

/** The error of a host that must not start, as `main.ts` shows it. */
async function startError(appDir: string, settings: Readonly<Record<string, string>> = {}): Promise<string> {
  return errorOf(startInProcess({ appDir, settings }), inspect);
}

const spawnError = (appDir: string): Promise<string> => errorOf(spawnHost({ appDir }), String);

async function errorOf(started: Promise<AsyncDisposable>, show: (error: unknown) => string): Promise<string> {
  const [result] = await Promise.allSettled([started]);
  if (result.status === 'rejected') return show(result.reason);
  await result.value[Symbol.asyncDispose]();
  throw new Error('The host started.');
}

test('an app that throws while loading shows its error with the stack and exits with 1', async () => {
  await using app = await makeApp(`app.http('fine', { handler: () => ({}) });
    function explode() { throw new TypeError('fixture: cannot load'); }
    explode();`);
  const error = await spawnError(app.dir);
  expect(error).toContain('exit code 1');
  expect(error).toContain('"app.cjs" threw');
  expect(error).toMatch(/TypeError: fixture: cannot load\n\s+at explode/);
});

test.each([
  ['registers no function', '', {}, 'The app registers no function'],
  ['matches no file', '', { main: 'dist/*.js' }, 'no file in'],
  ['has a trigger this host does not run', `app.eventGrid('x', { handler() {} });`, {}, 'not "eventGridTrigger"'],
  ['names a setting there is not', `app.timer('x', { schedule: '%WHEN%', handler() {} });`, {}, 'no setting "WHEN"'],
  [
    'has a timer without storage',
    `app.timer('x', { schedule: '0 * * * * *', handler() {} });`,
    {},
    'AzureWebJobsStorage',
  ],
  ['registers one name twice', `app.get('x', () => ({})); app.get('x', () => ({}));`, {}, 'already been registered'],
  ['has a wrong host.json', `app.get('x', () => ({}));`, { hostJson: { functionTimeout: 'long' } }, 'time span'],
])('an app that %s is refused', async (_, source, files, reason) => {
  await using app = await makeApp(source, files);
  expect(await startError(app.dir, {})).toContain(reason);
});

test('an app that wants HTTP streams is refused', async () => {
  // In a process of its own: the library takes its setup once.
  await using app = await makeApp(`app.setup({ enableHttpStream: true }); app.get('x', () => ({}));`);
  expect(await spawnError(app.dir)).toContain('no HTTP streaming');
});

test('a queue function whose connection is missing or unusable is in error and off, and the others run', async () => {
  await using app = await makeApp(`
    for (const [name, connection] of [['missing', 'M'], ['malformed', 'C']]) {
      app.storageQueue(name, { queueName: 'q', connection, handler() {} });
    }
    app.get('x', () => ({ body: 'runs' }));`);
  const lines: string[] = [];
  const settings = { C: 'AccountKey=c2VjcmV0' };
  await using host = await startInProcess({ appDir: app.dir, settings, log: (line) => lines.push(line) });
  expect(await (await fetch(`${host.url}/api/x`)).text()).toBe('runs');
  const errors = lines.filter((line) => line.includes('is in error and off'));
  expect(errors).toEqual([
    expect.stringMatching(/'malformed'.*Setting "C" is not a storage connection string/),
    expect.stringMatching(/'missing'.*"M" has no setting/),
  ]);
  expect(lines.join('\n')).not.toContain('c2VjcmV0');
});

test('a timer whose schedule cannot be read is in error and off, and the others run', async () => {
  await using app = await makeApp(`
    app.timer('daily', { schedule: 'daily', handler() {} });
    app.timer('tabbed', { schedule: '0\\t0 * * * *', handler() {} });
    app.get('x', () => ({ body: 'runs' }));`);
  const lines: string[] = [];
  const settings = { AzureWebJobsStorage: 'UseDevelopmentStorage=true' };
  await using host = await startInProcess({ appDir: app.dir, settings, log: (line) => lines.push(line) });
  expect(await (await fetch(`${host.url}/api/x`)).text()).toBe('runs');
  const errors = lines.filter((line) => line.includes('is in error and off'));
  expect(errors).toEqual([
    expect.stringMatching(/'daily'.*not an NCRONTAB expression/),
    expect.stringMatching(/'tabbed'.*not an NCRONTAB expression/),
  ]);
});

test('after the grace time terminate hooks may end what runs', async () => {
  await using app = await makeApp(`
    let end;
    app.hook.appTerminate(async () => { end(); await new Promise((resolve) => setTimeout(resolve, 200)); });
    app.get('waits', async () => { await new Promise((resolve) => { end = resolve; console.log('began'); }); return { body: 'ended' }; });`);
  const host = await spawnHost({ appDir: app.dir, isQuiet: true, graceSeconds: 1 });
  const began = new Promise((resolve) => host.child.stdout?.on('data', resolve));
  const response = fetch(`${host.url}/api/waits`);
  await began;
  const signalledAt = performance.now();
  const stopped = host.stop();
  expect(await (await response).text()).toBe('ended');
  expect(performance.now() - signalledAt).toBeGreaterThan(900);
  expect(await stopped).toBe(0);
  expect(host.output()).not.toContain('cut');
});

test('settings: the environment wins over the settings file, that over local.settings.json', async () => {
  const names = ['FROM_LOCAL', 'FROM_FILE', 'FROM_ENV'];
  const values = (value: string) => Object.fromEntries(names.map((name) => [name, value]));
  await using app = await makeApp(
    `app.get('settings', () => ({ jsonBody: ${JSON.stringify(names)}.map((name) => process.env[name]) }));`,
    { settings: values('local') },
  );
  await using file = await makeApp('', { settings: { FROM_FILE: 'file', FROM_ENV: 'file' } });
  const settingsFile = `${file.dir}/local.settings.json`;
  const settings = { FROM_ENV: 'env' };
  await using host = await startInProcess({ appDir: app.dir, settingsFile, settings });
  expect(await (await fetch(`${host.url}/api/settings`)).json()).toEqual(['local', 'file', 'env']);
});

test('hooks see and change invocations, and the terminate hook runs at the end', async () => {
  await using app = await makeApp(`
    app.hook.appStart(() => console.log('hook: start'));
    app.hook.appTerminate(() => console.log('hook: terminate'));
    app.hook.preInvocation((context) => { context.hookData.name = context.inputs[0].query.get('name'); });
    app.hook.postInvocation((context) => {
      if (context.error) { context.error = null; context.result = { body: 'rescued' }; }
      else context.result = { body: context.result.body + ' ' + context.hookData.name };
    });
    app.get('hooked', (request) => {
      if (request.query.has('fail')) throw new Error('fixture');
      return { body: 'hello' };
    });`);
  const host = await spawnHost({ appDir: app.dir });
  expect(await (await fetch(`${host.url}/api/hooked?name=you`)).text()).toBe('hello you');
  expect(await (await fetch(`${host.url}/api/hooked?fail`)).text()).toBe('rescued');
  expect(await host.stop()).toBe(0);
  expect(host.output()).toMatch(/hook: start.*hook: terminate/s);
});

test('of two routes that both match, the function first by name answers', async () => {
  await using app = await makeApp(`
    app.get('b', { route: 'things/special', handler: () => ({ body: 'literal' }) });
    app.get('A', { route: 'things/{id}', handler: () => ({ body: 'parameter' }) });`);
  await using host = await startInProcess({ appDir: app.dir });
  expect(await (await fetch(`${host.url}/api/things/special`)).text()).toBe('parameter');
});

test('a handler that returns nothing answers 204', async () => {
  await using app = await makeApp(`app.get('nothing', () => undefined);`);
  await using host = await startInProcess({ appDir: app.dir });
  expect((await fetch(`${host.url}/api/nothing`)).status).toBe(204);
});

test('a function that overruns functionTimeout ends the process with an error', async () => {
  await using app = await makeApp(`app.get('forever', () => new Promise(() => {}));`, {
    hostJson: { functionTimeout: '00:00:01' },
  });
  const host = await spawnHost({ appDir: app.dir });
  const exited = new Promise((resolve) => host.child.once('close', resolve));
  await expect(fetch(`${host.url}/api/forever`)).rejects.toThrow();
  expect(await exited).toBe(1);
  expect(host.output()).toContain("Timeout value of 1 s exceeded by function 'Functions.forever'");
});

test('SIGTERM waits for a running request, answers it and exits with 0', async () => {
  await using app = await makeApp(`
    app.get('slow', async () => {
      console.log('slow began');
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return { body: 'finished' };
    });`);
  const host = await spawnHost({ appDir: app.dir, isQuiet: true });
  const began = new Promise((resolve) => host.child.stdout?.on('data', resolve));
  const response = fetch(`${host.url}/api/slow`);
  await began;
  expect(await host.stop()).toBe(0);
  expect(await (await response).text()).toBe('finished');
  expect(host.output()).toMatch(/^\S+ \[slow\] slow began\n$/);
});

test('azurite keeps its data in a folder when given one', async () => {
  await using app = await makeApp('');
  const { QueueServiceClient } = await import('@azure/storage-queue');
  const first = await startAzurite({ dataDir: app.dir });
  // An open connection would keep azurite from ending.
  const pipelineOptions = { keepAliveOptions: { enable: false } };
  await QueueServiceClient.fromConnectionString(first.connectionString, pipelineOptions).createQueue('kept');
  await first.close();
  await using second = await startAzurite({ dataDir: app.dir });
  const queue = QueueServiceClient.fromConnectionString(second.connectionString).getQueueClient('kept');
  expect(await queue.exists()).toBe(true);
});
