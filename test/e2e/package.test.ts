import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createApi } from '../../local/api.ts';
import { spawnHost } from '../../local/host/spawn-host.ts';
import { createAzureBlobs } from '../../src/azure/blobs.ts';
import { openStorageAccount } from '../support/storage-account.ts';
import { type UnpackedPackage, unpackPackage } from '../support/unpacked-package.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const hub = 'Endpoint=sb://ns.example/;SharedAccessKeyName=Root;SharedAccessKey=a2V5';
const read = (name: string) => readFile(join(unpacked.folder, name), 'utf8');

let unpacked: UnpackedPackage;
let version: string;

beforeAll(async () => {
  unpacked = await unpackPackage();
  version = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))).version;
});

afterAll(async () => {
  await unpacked[Symbol.asyncDispose]();
});

test('the zip is small, names its licences and all that is in it, and needs no other package', async () => {
  expect(unpacked.zip.length).toBeLessThan(2e6);
  expect(JSON.parse(await read('package.json'))).toMatchObject({ version, main: 'main.js' });
  expect(JSON.parse(await read('package.json'))).not.toHaveProperty('dependencies');
  const notices = await read('THIRD-PARTY-NOTICES.txt');
  const bill = billSchema.parse(JSON.parse(await read('sbom.cdx.json')));
  for (const name of ['undici', 'zod', '@azure/functions', '@azure/storage-blob']) {
    expect(notices).toContain(name);
    expect(bill.components.map((component) => component.name)).toContain(name);
  }
  expect(bill.components.filter(({ hashes, licenses }) => hashes.length === 0 || licenses.length === 0)).toEqual([]);
});

const billSchema = z.object({
  components: z.array(z.object({ name: z.string(), hashes: z.array(z.unknown()), licenses: z.array(z.unknown()) })),
});

test('another build, elsewhere and in another time zone, gives the same bytes, and says how to deploy them', async () => {
  const out = await mkdtemp(join(tmpdir(), 'package-again-'));
  try {
    const node = process.env['HOST_NODE'] ?? process.execPath;
    const env = { ...process.env, TZ: 'Pacific/Kiritimati' };
    const { stdout } = await run(node, [join(root, 'local/package.ts'), '--out', out], { cwd: out, env });
    const file = `notification-hubs-dr-${version}.zip`;
    expect(stdout).toContain(createHash('sha256').update(unpacked.zip).digest('hex'));
    expect(stdout).toMatch(new RegExp(`^  az functionapp deployment source config-zip .* --src ${file}$`, 'm'));
    expect(Buffer.compare(await readFile(join(out, file)), unpacked.zip)).toBe(0);
  } finally {
    await rm(out, { recursive: true });
  }
});

test('the zip serves in the host, and gives out the terminal tool, one file that runs from an empty folder', async () => {
  const azurite = openStorageAccount();
  await using collector = await openCollector();
  await using host = await spawnHost({
    appDir: unpacked.folder,
    keys: { master: 'm', default: 'operates', functions: { listSnapshots: { reader: 'reads' } } },
    settings: {
      AzureWebJobsStorage: azurite.connectionString,
      SNAPSHOT_STORAGE: azurite.connectionString,
      PRIMARY_HUB_CONNECTION: hub,
      PRIMARY_HUB_NAME: 'primary',
      SECONDARY_HUB_CONNECTION: hub,
      SECONDARY_HUB_NAME: 'secondary',
      BACKUP_SCHEDULE: '0 0 0 1 1 *',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    },
  });
  const status = await createApi(() => host).call('GET', '/api/status');
  expect(status).toMatchObject({ status: 503, body: { verdict: 'NotReady', latestGoodSnapshot: null } });
  const page = await fetch(`${host.url}/api/console`);
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  // Every function of the app, as the host lists them when it starts; what hooks into the host's start and stop is none.
  const files = await readdir(join(root, 'functions'));
  const triggers = files.filter((name) => !name.startsWith('host-'));
  expect(host.output().match(/Function \w+: \[/g)?.length).toBeGreaterThanOrEqual(triggers.length);

  const callWith = async (key: string, method: string, path: string) =>
    (await fetch(`${host.url}${path}`, { method, headers: { 'x-functions-key': key, 'x-requested-by': 'ada' } }))
      .status;
  expect(await callWith('reads', 'GET', '/api/snapshots')).toBe(200);
  expect(await callWith('reads', 'POST', '/api/restores')).toBe(401);
  expect(await callWith('operates', 'POST', '/api/restores')).toBe(404);
  const connection = { kind: 'connectionString', value: azurite.connectionString } as const;
  const blobs = createAzureBlobs({ connection, container: 'hub-snapshots' });
  const [record, ...others] = (await blobs.list('_pairs/')).filter(({ name }) => name.includes('/audit/'));
  expect(others).toEqual([]);
  expect(JSON.parse(Buffer.from((await blobs.get(record?.name ?? ''))?.bytes ?? []).toString())).toMatchObject({
    ...{ what: 'startRestore', path: '/api/restores', name: 'ada', key: expect.stringMatching(/^[0-9a-f]{12}$/) },
    answer: { status: 404, code: 'NoGoodSnapshot' },
  });

  const empty = await mkdtemp(join(tmpdir(), 'terminal-'));
  try {
    const answer = await fetch(`${host.url}/api/cli`);
    const etag = answer.headers.get('etag') ?? '';
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="notification-hubs-dr.mjs"');
    await writeFile(join(empty, 'notification-hubs-dr.mjs'), await answer.text());
    expect((await fetch(`${host.url}/api/cli`, { headers: { 'if-none-match': etag } })).status).toBe(304);
    const env = { PATH: '', NOTIFICATION_HUBS_DR_URL: host.url, NOTIFICATION_HUBS_DR_KEY: host.keys.default };
    const ask = (...words: string[]) =>
      run(process.env['HOST_NODE'] ?? process.execPath, ['notification-hubs-dr.mjs', ...words], { cwd: empty, env });
    expect((await ask('--version')).stdout).toBe(`${version}\n`);
    const failure: unknown = await ask('status').catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 1, stdout: expect.stringMatching(/^NotReady: /) });
    expect(await readdir(empty)).toEqual(['notification-hubs-dr.mjs']);
  } finally {
    await rm(empty, { recursive: true });
  }

  await host.fire('watchdog');
  await vi.waitFor(() => expect(host.output()).toMatch(/Executed .*watchdog/), { timeout: 60_000, interval: 50 });
  await host.stop();
  const sent = collector.received.filter(({ path }) => path === '/v1/metrics').map(({ body }) => body);
  expect(sent.join('')).toContain('notification_hubs_dr.verdict');
});

/** Takes what an OpenTelemetry exporter sends. */
async function openCollector() {
  const received: { readonly path: string; readonly body: string }[] = [];
  const server = createServer(async (request, response) => {
    received.push({ path: request.url ?? '', body: await text(request) });
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
