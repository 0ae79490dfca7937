import { createAppleInstallation, type Installation } from '@azure/notification-hubs';
import { expect, it } from 'vitest';
import { type Emulator, type HubSwitches, startEmulator } from '../../local/hub-lab/index.ts';
import { sdk } from './sdk-client.ts';
import { type VirtualWorld, virtualWorld } from './virtual-world.ts';

const second = 1000;

it('applies each installation write between its least and its most delay', async () => {
  const world = virtualWorld();
  const switches = { installationDelayMs: 32 * second, installationDelaySpreadMs: 6 * second };
  await using emulator = await start(world, switches);
  const client = sdk(emulator.namespace('n'));
  for (let n = 0; n < 40; n += 1) await client.createOrUpdateInstallation(anInstallation([], `i${n}`));
  const counts = [32 * second - 1, 3 * second, 3 * second + 1].map((milliseconds) => {
    world.advance(milliseconds);
    return emulator.hub('n', 'h').stats().installations;
  });
  expect(counts[0]).toBe(0);
  expect(counts[1]).toBeGreaterThan(5);
  expect(counts[1]).toBeLessThan(35);
  expect(counts[2]).toBe(40);
});

it.each([
  ['kept', 'last'],
  ['reversed', 'first'],
] as const)('leaves an installation, in the order %s, with the %s word', async (installationOrder, word) => {
  const world = virtualWorld();
  await using emulator = await start(world, { installationDelayMs: 100 * second, installationOrder });
  const client = sdk(emulator.namespace('n'));
  for (const tag of ['first', 'middle', 'last']) await client.createOrUpdateInstallation(anInstallation([tag]));
  world.advance(100 * second);
  expect(await client.getInstallation('i')).toMatchObject({ tags: [word] });
});

it('lets a later write overtake an earlier one where each has a delay of its own', async () => {
  const world = virtualWorld();
  const switches = { installationDelaySpreadMs: 25 * second, installationOrder: 'drawn' } as const;
  await using emulator = await start(world, switches);
  const client = sdk(emulator.namespace('n'));
  for (let n = 0; n < 30; n += 1) {
    for (const tag of ['first', 'last']) await client.createOrUpdateInstallation(anInstallation([tag], `i${n}`));
  }
  world.advance(25 * second);
  const words = [...emulator.hub('n', 'h').registrations()].map(({ tags }) => tags.at(-1));
  expect(words).toHaveLength(30);
  expect(new Set(words)).toEqual(new Set(['first', 'last']));
});

it('lets a removal overtake what was written before it', async () => {
  const world = virtualWorld();
  await using emulator = await start(world, { installationDelayMs: second, installationOrder: 'reversed' });
  const client = sdk(emulator.namespace('n'));
  await client.createOrUpdateInstallation(anInstallation(['a']));
  await client.deleteInstallation('i');
  world.advance(second);
  expect(await client.getInstallation('i')).toMatchObject({ tags: ['a'] });
});

it('passes delays faster than they are stated', async () => {
  const world = virtualWorld();
  await using emulator = await start(world, { installationDelayMs: 120 * second, delaySpeed: 1000 });
  await sdk(emulator.namespace('n')).createOrUpdateInstallation(anInstallation([]));
  const counts = [119, 1].map((milliseconds) => {
    world.advance(milliseconds);
    return emulator.hub('n', 'h').stats().installations;
  });
  expect(counts).toEqual([0, 1]);
});

it('settles what waits at once, in the order in which it would have come', async () => {
  for (const [installationOrder, word] of [
    ['kept', 'last'],
    ['reversed', 'first'],
  ] as const) {
    const world = virtualWorld();
    await using emulator = await start(world, { installationDelayMs: 60 * second, installationOrder });
    const client = sdk(emulator.namespace('n'));
    for (const tag of ['first', 'last']) await client.createOrUpdateInstallation(anInstallation([tag]));
    world.advance(30 * second);
    await emulator.hub('n', 'h').settle();
    await client.createOrUpdateInstallation(anInstallation(['new']));
    world.advance(59 * second);
    expect(await client.getInstallation('i')).toMatchObject({ tags: [word] });
    world.advance(second);
    expect(await client.getInstallation('i')).toMatchObject({ tags: ['new'] });
  }
});

it.each([false, true])('raises ETags by an equal installation write only when switched so: %s', async (isRaised) => {
  await using emulator = await start(virtualWorld(), { unchangedInstallationRaisesEtag: isRaised });
  const client = sdk(emulator.namespace('n'));
  const etags = async (tag: string) => {
    await client.createOrUpdateInstallation(anInstallation([tag]));
    return [...emulator.hub('n', 'h').registrations()].map(({ etag }) => etag);
  };
  expect([await etags('a'), await etags('a'), await etags('b')]).toEqual(isRaised ? [[1], [2], [3]] : [[1], [1], [2]]);
});

function start(world: VirtualWorld, switches: Partial<HubSwitches>): Promise<Emulator> {
  return startEmulator({ world, namespaces: [{ name: 'n', hubs: [{ name: 'h', switches }] }] });
}

function anInstallation(tags: readonly string[], installationId = 'i'): Installation {
  return createAppleInstallation({ installationId, pushChannel: 'ab'.repeat(32), tags: [...tags] });
}
