import { expect, test } from 'vitest';
import { prune } from '../../src/app/prune.ts';
import type { Blobs } from '../../src/core/ports.ts';
import { aBackedUp, backUp } from '../support/drive.ts';

/** An account with hierarchical namespace: what blobs were in stays when they are gone. `gets` counts reads of blobs. */
function hierarchical(blobs: Blobs) {
  const folders = new Set<string>();
  const counts = { gets: 0 };
  const note = (name: string): void => {
    for (let end = name.indexOf('/'); end > 0; end = name.indexOf('/', end + 1)) folders.add(name.slice(0, end + 1));
  };
  const wrapped: Blobs = {
    ...blobs,
    get: (...args) => {
      counts.gets += 1;
      return blobs.get(...args);
    },
    put: (name, ...args) => {
      note(name);
      return blobs.put(name, ...args);
    },
    listFolders: async (prefix) =>
      [...folders].filter((name) => name.startsWith(prefix) && /^[^/]+\/$/.test(name.slice(prefix.length))).sort(),
    removeFolder: async (prefix) => {
      for (const folder of [...folders].filter((name) => name.startsWith(prefix))) {
        if ((await blobs.list(folder)).length === 0) folders.delete(folder);
      }
    },
  };
  return { wrapped, counts, note, folders };
}

test('what a hierarchical namespace keeps of removed snapshots and runs is removed, too', async () => {
  let account: ReturnType<typeof hierarchical> | undefined;
  const engine = await aBackedUp(24, {
    policy: { retention: { hourly: 2, daily: 0, weekly: 0, monthly: 0 } },
    wrap: ({ blobs }) => {
      account = hierarchical(blobs);
      return { blobs: account.wrapped };
    },
  });
  const readsOfABackup = async (): Promise<number> => {
    const before = account?.counts.gets ?? 0;
    engine.advance(3_600_000);
    await backUp(engine);
    return (account?.counts.gets ?? 0) - before;
  };
  await readsOfABackup();
  const usual = await readsOfABackup();
  // As an earlier version left them.
  for (let hour = 0; hour < 300; hour += 1) {
    const id = `${new Date(Date.parse('2026-10-01T00:00:00Z') + hour * 3_600_000).toISOString().slice(0, 13)}-00-00Z-abcdef`;
    account?.note(`one/devices/snapshots/${id}/shards/x`);
  }
  await prune(engine.app);
  expect(await readsOfABackup()).toBeLessThan(usual + 5);
  engine.advance(40 * 86_400_000);
  await prune(engine.app);
  await prune(engine.app);
  const left = [...(account?.folders ?? [])];
  expect(left.filter((name) => /^one\/devices\/snapshots\/[^/]+\/$/.test(name))).toHaveLength(2);
  expect(left.filter((name) => name.startsWith('_runs/backup/2026'))).toEqual([]);
});
