import { expect, test } from 'vitest';
import { exportIdMap } from '../../src/app/restore/outcomes/export-id-map.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { isDrillRunId } from '../../src/core/readiness/drill.ts';
import { parseRegistration } from '../../src/core/registration/registration.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { isSyncRunId } from '../../src/core/run/sync.ts';
import { backUp, restore } from '../support/drive.ts';
import { createEngine } from '../support/engine.ts';
import { anAppleRow, anInstallation } from '../support/rows.ts';

test('an installation whose id holds a comma is restored as one', async () => {
  const engine = createEngine();
  for (const [id, xml] of anInstallation('phone,1')) engine.primary.rows.set(id, xml);
  await backUp(engine);
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts: { total: 1, created: 1, failed: 0 } });
  const restored = [...engine.secondary.rows.values()].map((xml) => parseRegistration(xml).tags);
  expect(restored.sort((a, b) => a.length - b.length)).toEqual([
    ['$InstallationId:{phone,1}', 'news'],
    ['$InstallationId:{phone,1}', 'alert', 'news'],
  ]);
});

test('two Baidu devices whose ids are the same once joined are two', async () => {
  const engine = createEngine();
  const baidu = (id: string, user: string, channel: string): void => {
    const handle = `<BaiduUserId>${user}</BaiduUserId><BaiduChannelId>${channel}</BaiduChannelId>`;
    const xml = anAppleRow({ id, tags: [`of-${user}`] }).replace(/<DeviceToken>.*<\/DeviceToken>/, handle);
    engine.primary.rows.set(id, xml.replaceAll('AppleRegistration', 'BaiduRegistration'));
  };
  baidu('1-1-1', '77', '88-9');
  baidu('2-2-2', '77-88', '9');
  await backUp(engine);
  // One of them has moved on in the target: that says nothing about the other.
  const [first = ''] = engine.primary.rows.values();
  engine.secondary.rows.set('1-1-1', first.replace('of-77', 'moved-on').replace('<ETag>1<', '<ETag>5<'));
  const counts = { total: 2, created: 1, unknownOrigin: 1 };
  expect(await restore(engine)).toMatchObject({ status: 'Succeeded', counts });
});

test('a registration id that a spreadsheet would take for a formula is a text in the id map', async () => {
  const engine = createEngine();
  engine.primary.rows.set('=1+1', anAppleRow({ id: '=1+1', token: 'AA' }));
  engine.primary.rows.set('1-1-1', anAppleRow({ id: '1-1-1', token: 'BB' }));
  engine.secondary.refusesForeignIds = true;
  await backUp(engine);
  const { id } = await restore(engine);
  const lines = (await exportIdMap(engine.app, id)).trim().split('\r\n').slice(1);
  const olds = lines.map((line) => line.slice(0, line.lastIndexOf(',')));
  expect(olds.sort()).toEqual([`"'=1+1"`, '1-1-1']);
});

test.each(['drill', 'cleanup', 'sync'])(
  'an id of an operator that only looks like one of a %s is the operator’s; one of the same form is refused',
  async (ending) => {
    const engine = createEngine();
    engine.primary.rows.set('1-1-1', anAppleRow({ id: '1-1-1' }));
    await backUp(engine);
    const start = (id: string) => startRestore(engine.app, parseRestoreRequest(''), { id });
    const own = `2026-11-29T03-00-00Z-${ending}`;
    expect([isDrillRunId(own), isSyncRunId(own)]).toEqual([false, false]);
    await expect(start(`2026-11-29T03-00-00Z-1a2b3c-${ending}`)).rejects.toMatchObject({
      code: 'BadRequest',
      target: 'id',
    });
    expect((await start(own)).isNew).toBe(true);
  },
);
