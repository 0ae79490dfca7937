import { expect, test } from 'vitest';
import { readRecords } from '../../src/app/restore/records.ts';
import { RecordFault } from '../../src/core/errors.ts';
import { aBackedUp, contentOf, restore } from '../support/drive.ts';
import type { Engine } from '../support/engine.ts';

/** Every send finds these devices gone, and there is one before each look at the hub, counted from 1. */
function removeBeforeLooks({ secondary }: Engine, isGone: (xml: string, look: number) => boolean): void {
  const { listPage } = secondary;
  let look = 0;
  secondary.listPage = async (token, options) => {
    if (token === undefined) {
      look += 1;
      for (const [id, xml] of secondary.rows) if (isGone(xml, look)) secondary.rows.delete(id);
    }
    return listPage(token, options);
  };
}

const handleOf = (xml: string): string => /<(DeviceToken|FcmV1RegistrationId)>([^<]+)/.exec(xml)?.[2] ?? '';

function handlesOf({ primary }: Engine, share: number): ReadonlySet<string> {
  const handles = [...new Set([...primary.rows.values()].map(handleOf))];
  return new Set(handles.filter((_, index) => index % share === 0));
}

test('devices that the service removes whenever they are written are gone, with the reason, and fail nothing', async () => {
  const engine = await aBackedUp(24);
  const gone = handlesOf(engine, 4);
  removeBeforeLooks(engine, (xml) => gone.has(handleOf(xml)));
  const view = await restore(engine);
  expect(view).toMatchObject({
    status: 'Succeeded',
    removedByService: gone.size,
    counts: { created: 24 - gone.size, goneInTarget: gone.size, failed: 0 },
  });
  const { value } = await readRecords(engine.app, view.id, 'goneInTarget');
  expect(value.map(({ reason }) => reason)).toEqual([...gone].map(() => 'removed by the service'));
  expect(contentOf(engine.secondary)).toEqual(
    contentOf({ rows: new Map([...engine.primary.rows].filter(([, xml]) => !gone.has(handleOf(xml)))) }),
  );
});

test('they are also where the last write of another device has to be looked at once more', async () => {
  const engine = await aBackedUp(24);
  const [gone = '', late = ''] = handlesOf(engine, 8);
  removeBeforeLooks(engine, (xml, look) => handleOf(xml) === gone || (handleOf(xml) === late && look < 5));
  const counts = { created: 23, goneInTarget: 1, failed: 0 };
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', removedByService: 1, counts, passes: 6 });
});

test('a hub that removes most of what is written is not taken for one with dead devices', async () => {
  const engine = await aBackedUp(24);
  const gone = handlesOf(engine, 1);
  removeBeforeLooks(engine, (xml) => gone.has(handleOf(xml)));
  expect(await restore(engine)).toMatchObject({ status: 'Failed', error: { code: 'TargetAltersRecords' } });
});

test('a write that fails whenever it is tried, and yet is carried out, is found to be there', async () => {
  const engine = await aBackedUp(24);
  const { putRegistration, putInstallation } = engine.secondary;
  const failing = new Set<string>();
  const failAfter = async <T>(id: string, written: Promise<T>): Promise<T> => {
    const answer = await written;
    if (failing.size < 6) failing.add(id);
    if (!failing.has(id)) return answer;
    throw new RecordFault('HubUnavailable', 'It fails.', { retryable: true, status: 500 });
  };
  engine.secondary.putRegistration = (id, ...rest) => failAfter(id, putRegistration(id, ...rest));
  engine.secondary.putInstallation = (id, ...rest) => failAfter(id, putInstallation(id, ...rest));
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { created: 24, failed: 0 } });
  expect(failing.size).toBe(6);
  expect(contentOf(engine.secondary)).toEqual(contentOf(engine.primary));
});
