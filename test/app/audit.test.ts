import { expect, test } from 'vitest';
import { audited, listAudit, pruneAudit } from '../../src/app/stored/audit.ts';
import { documents } from '../../src/app/stored/documents.ts';
import { DrError } from '../../src/core/errors.ts';
import { codeOf } from '../support/drive.ts';
import { createEngine, type Engine } from '../support/engine.ts';

const caller = { name: 'ada', principal: undefined, from: '203.0.113.7:51000', key: 'a-function-key' };
const asked = { what: 'startRestore', method: 'POST', path: '/api/restores', caller };

async function recordsOf({ app, blobs }: Engine) {
  const names = (await blobs.list('_audit/')).map(({ name }) => name);
  return Promise.all(names.map((name) => documents.audit.read(app, name)));
}

test('a record of who asked is stored before the work, and gets its answer after it', async () => {
  const engine = createEngine();
  const seen = await audited(
    engine.app,
    asked,
    () => recordsOf(engine),
    () => ({ status: 202, runId: 'r1' }),
  );
  const record = { what: 'startRestore', method: 'POST', path: '/api/restores', name: 'ada', from: caller.from };
  expect(seen).toEqual([{ ...record, at: expect.any(String), key: expect.stringMatching(/^[0-9a-f]{12}$/) }]);
  expect(await recordsOf(engine)).toEqual([{ ...seen[0], answer: { status: 202, runId: 'r1' } }]);
});

test('records tell keys apart without holding any, and the same key has another hash for other hubs', async () => {
  const hashes = [];
  const refs = { primary: { namespace: 'a', hub: 'devices' }, secondary: { namespace: 'b', hub: 'devices' } };
  for (const [engine, key] of [
    [createEngine(), 'one'],
    [createEngine(), 'one'],
    [createEngine(), 'two'],
    [createEngine({ refs }), 'one'],
  ] as const) {
    await audited(
      engine.app,
      { ...asked, caller: { ...caller, key } },
      async () => {},
      () => ({ status: 200 }),
    );
    hashes.push((await recordsOf(engine))[0]?.key);
  }
  expect(hashes[1]).toBe(hashes[0]);
  expect(new Set(hashes).size).toBe(3);
});

test('a refused call is recorded with its code; what cannot be recorded is not done', async () => {
  const engine = createEngine();
  const refused = audited(
    engine.app,
    asked,
    () => Promise.reject(new DrError('RunInProgress', 'One runs.')),
    () => ({ status: 409, code: 'RunInProgress' }),
  );
  expect(await codeOf(refused)).toBe('RunInProgress');
  expect(await recordsOf(engine)).toMatchObject([{ answer: { status: 409, code: 'RunInProgress' } }]);
  engine.blobs.put = () => Promise.reject(new DrError('StorageUnavailable', 'It is down.'));
  let isDone = false;
  const work = async () => {
    isDone = true;
  };
  expect(await codeOf(audited(engine.app, asked, work, () => ({ status: 200 })))).toBe('StorageUnavailable');
  expect(isDone).toBe(false);
});

test('records are kept for 400 days', async () => {
  const engine = createEngine();
  const note = () =>
    audited(
      engine.app,
      asked,
      async () => {},
      () => ({ status: 200 }),
    );
  await note();
  engine.advance(399 * 86_400_000);
  await note();
  await pruneAudit(engine.app);
  expect(await recordsOf(engine)).toHaveLength(2);
  engine.advance(2 * 86_400_000);
  await pruneAudit(engine.app);
  expect(await recordsOf(engine)).toHaveLength(1);
});

test('records are listed page by page, each once and newest first; one that cannot be read shows that it is there', async () => {
  const engine = createEngine();
  for (let call = 0; call < 120; call += 1) {
    // A month ends among them.
    engine.advance(call % 3 === 0 ? 0 : 6 * 3_600_000);
    await audited(
      engine.app,
      { ...asked, path: `/api/restores/${call}` },
      async () => {},
      () => ({ status: 202 }),
    );
  }
  const [damaged] = (await engine.blobs.list('_audit/')).slice(60);
  await engine.blobs.put(damaged?.name ?? '', Buffer.from('damaged'), 'any');
  const pages = [];
  let from: string | undefined;
  do {
    const page = await listAudit(engine.app, from);
    pages.push(page.value);
    from = page.next;
  } while (from !== undefined);
  expect(pages.map(({ length }) => length)).toEqual([50, 50, 20]);
  const listed = pages.flat();
  expect(listed.map(({ id }) => id)).toEqual(
    listed
      .map(({ id }) => id)
      .toSorted()
      .toReversed(),
  );
  expect(listed[0]).toMatchObject({ path: '/api/restores/119', name: 'ada', answer: { status: 202 } });
  const unreadable = listed.filter((one) => 'error' in one);
  expect(unreadable).toMatchObject([{ error: { code: 'StoredDocumentInvalid' } }]);
  expect(new Set(listed.map(({ id }) => id)).size).toBe(120);
});
