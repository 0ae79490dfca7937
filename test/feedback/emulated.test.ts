import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { HubSwitches } from '../../local/emulator/switches.ts';
import { startEmulator } from '../../local/hub-lab/index.ts';
import { hearFeedback, hearNotification } from '../../src/app/feedback/read.ts';
import { createFeedbackFiles } from '../../src/azure/feedback-files.ts';
import { parseHubConnection } from '../../src/hub/access/connection-string.ts';
import { Limiter } from '../../src/hub/pace/limiter.ts';
import { createFeedback } from '../../src/hub/standard/feedback.ts';
import { realWorld } from '../../src/world.ts';
import { plainClient } from '../emulator/sdk-client.ts';
import { codeOf } from '../support/drive.ts';
import { openJobStorage } from '../support/job-storage.ts';

/** An emulated hub whose feedback lies in a real container, read by the app's own adapters. */
async function open(switches: Partial<HubSwitches> = {}, tier: 'Standard' | 'Basic' = 'Standard') {
  const storage = await openJobStorage();
  const feedbackContainer = await storage.output();
  const sendErrorsContainer = await (await openJobStorage()).output();
  const emulator = await startEmulator({
    namespaces: [
      {
        name: 'n',
        tier,
        hubs: [{ name: 'devices', switches: { feedbackContainer, sendErrorsContainer, ...switches } }],
      },
    ],
  });
  const connection = emulator.namespace('n').connectionString();
  const clock = { now: Date.now, sleep: (milliseconds: number): Promise<void> => sleep(milliseconds) };
  const source = createFeedback({
    connection: parseHubConnection(connection, 'devices', 'TEST'),
    clock,
    random: () => 0,
    limiter: new Limiter({ maxConcurrency: 4, clock }),
  });
  const app = { world: realWorld, feedback: { of: () => source, files: createFeedbackFiles() } };
  const client = plainClient(connection, 'devices');
  const call = () => ({ deadlineAt: Date.now() + 60_000 });
  return {
    hub: emulator.hub('n', 'devices'),
    client,
    hear: (before: Parameters<typeof hearFeedback>[2] = []) => hearFeedback(app, source, before, call()),
    hearSend: (id: string) => hearNotification(app, source, id, call()),
    [Symbol.asyncDispose]: () => emulator[Symbol.asyncDispose](),
  };
}

it.each([{ feedbackEncoding: 'utf-8' }, { feedbackEncoding: 'utf-16', feedbackIds: true, deadRowsGo: false }] as const)(
  'what a send meets is heard once, from a file that grows, with %o',
  async (switches) => {
    await using opened = await open(switches);
    const { hub, client, hear, hearSend } = opened;
    for (const [installationId, pushChannel] of [
      ['one', 'aa'],
      ['two', 'bb'],
      ['three', 'cc'],
    ] as const) {
      await client.createOrUpdateInstallation({ installationId, platform: 'apns', pushChannel });
    }
    hub.markDead(['AA'], { error: 'ExpiredChannel' });
    hub.markDead(['BB'], { error: 'InvalidCredentials' });
    const first = await client.sendBroadcastNotification({
      platform: 'apple',
      body: '{}',
      contentType: 'application/json;charset=utf-8',
    });
    await hub.feedbackWritten();
    const heard = await hear();
    const isNamed = 'feedbackIds' in switches;
    expect(heard.verdicts.map(({ meaning, handle, installationId }) => [meaning, handle, installationId])).toEqual([
      ['dead', 'AA', isNamed ? 'one' : undefined],
      ['credentials', 'BB', isNamed ? 'two' : undefined],
    ]);
    const rows = [...hub.registrations()].map(({ handle }) => handle).sort();
    expect(rows).toEqual(isNamed ? ['AA', 'BB', 'CC'] : ['BB', 'CC']);
    hub.markDead(['CC'], { error: 'RefreshToken', newHandle: 'dd' });
    hub.markDead(['BB', 'AA'], undefined);
    await client.sendBroadcastNotification({
      platform: 'apple',
      body: '{}',
      contentType: 'application/json;charset=utf-8',
    });
    await hub.feedbackWritten();
    expect((await hear(heard.watermarks)).verdicts).toMatchObject([
      { meaning: 'renewed', handle: 'CC', newHandle: 'DD' },
    ]);
    const ofSend = await hearSend(first.notificationId ?? '');
    expect(ofSend).toMatchObject({ state: 'Completed', verdicts: [{ handle: 'AA' }, { handle: 'BB' }] });
    expect(await codeOf(hearSend('no-such-send'))).toBe('BadRequest');
  },
);

it('a hub that has none has an empty container, a tier without feedback says so, and an address that cannot be read shows no SAS', async () => {
  await using empty = await open({ feedbackContainer: null });
  expect(await empty.hear()).toMatchObject({ verdicts: [], counts: { files: 0 } });
  await using basic = await open({}, 'Basic');
  expect(await codeOf(basic.hear())).toBe('HubForbidden');
  const gone = 'http://127.0.0.1:9/devstoreaccount1/none?sig=secret';
  await using opened = await open({ feedbackContainer: gone });
  const error: unknown = await opened.hear().catch((thrown: unknown) => thrown);
  expect(String(error)).toContain('the feedback of a hub');
  expect(JSON.stringify(error) + String(error)).not.toContain('secret');
});
