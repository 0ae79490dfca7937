import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createApi } from '../../local/api.ts';
import type { Stack } from '../../local/stack.ts';
import { parseHubConnection } from '../../src/hub/access/connection-string.ts';
import { createSas } from '../../src/hub/access/sas.ts';
import { openStack } from '../support/stack.ts';

const SCRATCH = 'scratch';
const drillView = z.object({ id: z.string(), status: z.string(), verdict: z.string().optional() });

test('a drill on the whole stack restores into a scratch hub, proves the snapshot and leaves the hub empty', async () => {
  await using stack = await openStack({
    devices: 300,
    seed: 9,
    settings: { BACKUP_SCHEDULE: '0 0 0 1 1 *', WATCHDOG_SCHEDULE: '*/5 * * * * *', SETTLE_SECONDS: '0' },
  });
  const connectionString = stack.emulator.namespaces['secondary']?.connectionString ?? '';
  await createScratchHub(connectionString);
  await stack.host.stop();
  await stack.startHost({ settings: { DRILL_HUB_CONNECTION: connectionString, DRILL_HUB_NAME: SCRATCH } });
  const api = createApi(() => stack.host);
  const backup = await api.finished('backup', (await api.start('/api/backups')).id);
  expect(backup).toMatchObject({ status: 'Succeeded' });

  const started = await api.call('POST', '/api/drills');
  expect(started.status).toBe(202);
  const { id } = drillView.parse(started.body);
  expect(started.headers.get('operation-location')).toBe(`${stack.host.url}/api/drills/${id}`);
  const ended = await drillEnded(stack, id);
  expect(ended).toMatchObject({ status: 'Succeeded', how: 'scratch hub', verdict: 'Passed', requestedBy: 'http' });
  expect(await rowsLeft(stack)).toBe(0);
  expect(await api.call('GET', '/api/drills')).toMatchObject({ body: { value: [{ id }] } });
  expect(await api.call('GET', '/api/status')).toMatchObject({
    status: 200,
    body: {
      verdict: 'Ready',
      provenSnapshot: { how: 'drill' },
      predictedRestore: { basis: 'drill' },
      lastDrill: { id, verdict: 'Passed' },
    },
  });
});

/** As a person would in the portal: the hub does not exist before. */
async function createScratchHub(connectionString: string): Promise<void> {
  const connection = parseHubConnection(connectionString, SCRATCH, 'DRILL_HUB_CONNECTION');
  const response = await fetch(new URL(`/${SCRATCH}?api-version=2020-06`, connection.endpoint), {
    method: 'PUT',
    headers: {
      authorization: createSas(connection, Date.now)(),
      'content-type': 'application/atom+xml;type=entry;charset=utf-8',
    },
    body: '<entry xmlns="http://www.w3.org/2005/Atom"><content type="application/xml"><NotificationHubDescription xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"/></content></entry>',
  });
  expect(response.status).toBe(201);
}

async function rowsLeft({ emulator }: Stack): Promise<number> {
  let count = 0;
  for await (const _ of emulator.adminLines(`/namespaces/secondary/hubs/${SCRATCH}/rows`)) count += 1;
  return count;
}

async function drillEnded({ host }: Stack, id: string): Promise<unknown> {
  const deadlineAt = Date.now() + 120_000;
  for (;;) {
    const { body } = await createApi(() => host).call('GET', `/api/drills/${id}`);
    if (drillView.parse(body).status !== 'Running') return body;
    if (Date.now() > deadlineAt) throw new Error(`The drill hangs: ${JSON.stringify(body)}`);
    await sleep(250);
  }
}
