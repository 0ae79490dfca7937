import { createSecureServer } from 'node:http2';
import { createAppleRegistrationDescription, NotificationHubsClient } from '@azure/notification-hubs';
import { expect, test } from 'vitest';
import { makeCertificate } from '../../local/certificate.ts';
import { openFront } from '../../local/emulator/front.ts';
import { listen } from '../../local/emulator/namespace-server.ts';
import { startEmulator } from '../../local/hub-lab/index.ts';
import { parseHubConnection } from '../../src/hub/access/connection-string.ts';
import { createHub } from '../../src/hub/client.ts';
import { Limiter } from '../../src/hub/pace/limiter.ts';
import { realWorld as clock } from '../../src/world.ts';
import { all } from '../emulator/sdk-client.ts';
import { openHubRig } from '../faults/hub-rig.ts';

const soon = () => ({ deadlineAt: Date.now() + 60_000 });
const shortly = () => ({ deadlineAt: Date.now() + 300 });

test('a server that offers HTTP/2 is asked over HTTP/1.1, and one cut connection costs the one call on it', async () => {
  await using server = await startFront();
  await using hub = open(server);
  const calls = Array.from({ length: 12 }, (_, at) => hub.findRegistration(`${at}-1-1`, soon()));
  await expect.poll(() => server.waiting.length).toBe(12);
  server.cutOne();
  server.answerAll();
  await expect.poll(() => server.waiting.length).toBe(1);
  server.answerAll();
  expect(await Promise.all(calls)).toEqual(Array.from({ length: 12 }, () => undefined));
  expect(server.versions).toEqual(Array.from({ length: 13 }, () => '1.1'));
});

test('a server that speaks nothing but HTTP/2 is named as one that cannot be reached', async () => {
  await using server = await startHttp2Only();
  await using hub = open(server);
  await expect(hub.findRegistration('1-1-1', shortly())).rejects.toMatchObject({
    code: 'HubUnavailable',
    message: expect.stringContaining('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL'),
  });
});

test('a certificate of another authority is refused, and the error says so', async () => {
  await using server = await startFront();
  await using hub = open({ url: server.url });
  await expect(hub.findRegistration('1-1-1', shortly())).rejects.toMatchObject({
    code: 'HubUnavailable',
    message: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT'),
  });
  expect(server.versions).toEqual([]);
});

test('over TLS, too, resets, sockets that never answer and pages cut off leave out no device and double none', async () => {
  await using rig = await openHubRig({ devices: 200, requestTimeoutMs: 400, isTls: true });
  const { emulator, contentOf } = rig;
  emulator.hub('primary', 'devices').switches({ pageSizeLimit: 20 });
  const faults = [
    { name: 'half-open', everyNth: 23, times: 3 },
    { name: 'reset-before', everyNth: 11, times: 5 },
    { name: 'reset-after', everyNth: 13, times: 5 },
    { name: 'truncated-page', everyNth: 4, times: 3 },
  ];
  for (const name of ['primary', 'secondary']) emulator.namespace(name).setFaults(faults);
  expect(await rig.backUp()).toMatchObject({ status: 'Succeeded', result: { health: 'good' } });
  expect(await rig.restore()).toMatchObject({ status: 'Succeeded', counts: { failed: 0, pending: 0 } });
  const injected = emulator.namespace('secondary').faults();
  expect(injected.filter((fault) => fault.injectedCount === 0)).toEqual([]);
  expect(new Set(contentOf('secondary'))).toEqual(new Set(contentOf('primary')));
});

test('the official SDK uses the emulator over TLS as it uses the service, without a policy of its own', async () => {
  const certificate = await makeCertificate();
  await using emulator = await startEmulator({ namespaces: [{ name: 'n', hubs: ['h'], tls: certificate }] });
  const address = emulator.namespace('n').connectionString().replace('https:', 'sb:');
  const client = new NotificationHubsClient(address, 'h', { tlsOptions: { ca: certificate.cert } });
  const deviceToken = 'ab'.repeat(32);
  await client.createRegistration(createAppleRegistrationDescription({ deviceToken }));
  expect(await all(client.listRegistrations())).toMatchObject([{ kind: 'Apple' }]);
});

function open({ url, cert }: { readonly url: string; readonly cert?: string }) {
  const connection = parseHubConnection(`Endpoint=${url}/;SharedAccessKeyName=n;SharedAccessKey=a2V5`, 'h', 'TEST');
  const limiter = new Limiter({ maxConcurrency: 16, clock });
  const trusted = cert === undefined ? {} : { trustedCertificate: cert };
  const hub = createHub({ connection, clock, limiter, random: () => 0, ...trusted });
  return Object.assign(hub, { [Symbol.asyncDispose]: () => hub.close() });
}

/** Answers 404 once the test lets it. */
async function startFront() {
  const certificate = await makeCertificate();
  const versions: string[] = [];
  const waiting: { readonly answer: () => void; readonly cut: () => void }[] = [];
  const front = openFront(certificate, (incoming, outgoing) => {
    versions.push(incoming.httpVersion);
    const answer = (): void => {
      outgoing.writeHead(404, { 'content-length': 0 });
      outgoing.end('');
    };
    waiting.push({ answer, cut: () => front.reset(incoming) });
  });
  const port = await listen(front.server, 0);
  return {
    url: `https://127.0.0.1:${port}`,
    cert: certificate.cert,
    versions,
    waiting,
    answerAll: () => {
      for (const { answer } of waiting.splice(0)) answer();
    },
    cutOne: () => waiting.shift()?.cut(),
    async [Symbol.asyncDispose]() {
      front.destroyConnections();
      await new Promise((resolve) => front.server.close(resolve));
    },
  };
}

async function startHttp2Only() {
  const certificate = await makeCertificate();
  const server = createSecureServer({ ...certificate });
  server.on('sessionError', () => {}).on('tlsClientError', () => {});
  const port = await listen(server, 0);
  return {
    url: `https://127.0.0.1:${port}`,
    cert: certificate.cert,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
