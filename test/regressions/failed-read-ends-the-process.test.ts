import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { rolesBySettings } from '../../src/app/runs/roles.ts';
import { chooseSnapshot } from '../../src/app/snapshots/store.ts';
import { DrError } from '../../src/core/errors.ts';
import { codeOf } from '../support/drive.ts';
import { createEngine } from '../support/engine.ts';

/** A rejection that no code waits for ends the process of the Functions host, with all that it works at. */
test('storage that fails two reads at once fails the call, and nothing else', async () => {
  const away = new DrError('StorageUnavailable', 'The storage is away.', { retryable: true });
  const { app } = createEngine({
    wrap: ({ blobs }) => ({
      blobs: {
        ...blobs,
        list: async () => {
          throw away;
        },
        get: async () => {
          await setTimeout(5);
          throw away;
        },
      },
    }),
  });
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  expect(await codeOf(chooseSnapshot(app, rolesBySettings(app), 'latest'))).toBe('StorageUnavailable');
  await setTimeout(10);
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});
