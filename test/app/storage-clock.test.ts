import { afterEach, expect, test } from 'vitest';
import { noteStorageTime, realWorld } from '../../src/world.ts';

afterEach(() => noteStorageTime(new Date()));

test.each([3_600_000, -3_600_000, 5000])(
  'what is stored is dated by the storage, whose clock is %i ms ahead',
  (aheadMs) => {
    noteStorageTime(new Date(Date.now() + aheadMs));
    expect(Math.abs(realWorld.storageNow() - Date.now() - aheadMs)).toBeLessThan(1000);
    expect(Math.abs(realWorld.now() - Date.now())).toBeLessThan(1000);
  },
);

test('a storage that says whole seconds, and answers a little later, moves no clock', () => {
  noteStorageTime(new Date(Date.now() - 1500));
  expect(Math.abs(realWorld.storageNow() - Date.now())).toBeLessThan(500);
});
