import { expect, test } from 'vitest';
import { readRun } from '../../src/app/runs/store.ts';
import { DrError } from '../../src/core/errors.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { createEngine } from '../support/engine.ts';

test('a body of fifty thousand unknown fields does not become an answer of that size', () => {
  const fields = Array.from({ length: 50_000 }, (_, index) => [`field${index}`, index]);
  const bodies = [Object.fromEntries(fields), { ['x'.repeat(500_000)]: 1 }];
  for (const body of bodies) {
    let thrown: unknown;
    try {
      parseRestoreRequest(JSON.stringify(body));
    } catch (error) {
      thrown = error;
    }
    if (!(thrown instanceof DrError)) throw new Error('The body was taken.');
    expect(thrown.code).toBe('UnknownField');
    expect(JSON.stringify([thrown.message, thrown.target, thrown.details]).length).toBeLessThan(10_000);
  }
});

test('what cannot be the id of a run never becomes the name of a blob', async () => {
  const asked: string[] = [];
  const { app } = createEngine({
    wrap: ({ blobs }) => ({
      blobs: {
        ...blobs,
        get: async (name) => {
          asked.push(name);
          return undefined;
        },
      },
    }),
  });
  for (const id of ['', '..', '../../one/devices', 'a/b', '\0', 'x'.repeat(65), 'ä']) {
    expect(await readRun(app, 'restore', id)).toBeUndefined();
  }
  expect(asked).toEqual([]);
});
