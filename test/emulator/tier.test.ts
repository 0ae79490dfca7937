import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startEmulator } from '../../local/hub-lab/index.ts';
import { parseHubConnection } from '../../src/hub/access/connection-string.ts';
import { createHub } from '../../src/hub/client.ts';
import { Limiter } from '../../src/hub/pace/limiter.ts';

const clock = { now: Date.now, sleep: (milliseconds: number) => sleep(milliseconds) };

test.each([
  ['Standard', 'Standard'],
  ['Basic', 'BasicOrFree'],
  ['Free', 'BasicOrFree'],
] as const)('the probe tells a namespace of tier %s as %s', async (tier, probed) => {
  await using emulator = await startEmulator({ namespaces: [{ name: 'one', tier, hubs: ['devices'] }] });
  const connection = parseHubConnection(emulator.namespace('one').connectionString(), 'devices', 'TEST');
  const hub = createHub({ connection, clock, random: () => 0, limiter: new Limiter({ maxConcurrency: 4, clock }) });
  expect((await hub.probe({ deadlineAt: Date.now() + 5000 })).tier).toBe(probed);
  await hub.close();
});
