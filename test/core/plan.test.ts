import { expect, test } from 'vitest';
import { type RecordOfRows, recordKey } from '../../src/core/registration/record.ts';
import { descriptionForWrite, parseRegistration, type Registration } from '../../src/core/registration/registration.ts';
import { type PlanOptions, planRecord } from '../../src/core/restore/plan/plan.ts';
import { type AppleRowOptions, anAppleRow, anInstallation, tokenOf } from '../support/rows.ts';

const token = tokenOf('phone');
const template = { name: 'alert', body: '{}' };

function aRow(options: AppleRowOptions): Registration {
  return parseRegistration(anAppleRow({ token, ...options }));
}

function aRecord(...rows: readonly [Registration, ...Registration[]]): RecordOfRows {
  return { key: recordKey(rows[0]), rows };
}

const native = aRow({ id: '1-1-1', tags: ['a'] });
const templated = aRow({ id: '1-1-2', tags: ['a'], template });
const otherTags = aRow({ id: '1-1-1', tags: ['b'] });
const newId = aRow({ id: '77-7-1', tags: ['a'], etag: 3 });
const older = aRow({ id: '1-1-3', tags: ['A'], etag: 0 });
const appRows = anInstallation('app').map(([, xml]) => parseRegistration(xml));
const [appNative = native, appTemplate = templated] = appRows;
const withMark = ({ xml }: Registration) =>
  parseRegistration(xml.replace('</Tags>', ',Notification-Hubs-DR-repair</Tags>'));
const markedApp = [withMark(appNative), withMark(appTemplate)] as const;
const unnamed = parseRegistration(appTemplate.xml.replace('<TemplateName>alert</TemplateName>', ''));

const put = ({ id, xml }: Registration) => ({ kind: 'registration', id, xml: descriptionForWrite(xml) });
const putApp = (...tags: string[]) => ({
  kind: 'installation',
  id: 'app',
  json: expect.stringContaining(`"tags":${JSON.stringify(['news', ...tags])}`),
});

const plain: PlanOptions = {
  expiryFloorAtMs: Date.parse('2026-01-01T00:00:00Z'),
  livesElsewhere: () => false,
  mintedFor: () => [],
  isRepair: false,
};
const elsewhere = { livesElsewhere: (row: Registration) => row === native };
const minted = { mintedFor: (id: string) => (id === '1-1-1' ? ['77-7-1'] : []) };
const repair = { isRepair: true };
const varied = [{ kind: 'installation', id: 'app', json: expect.stringContaining('"9998-12-31T23:59:59.000Z"') }];

interface Row {
  readonly record: RecordOfRows;
  readonly live?: RecordOfRows;
  readonly options?: Partial<PlanOptions>;
  readonly plan: object;
}

test.each<[string, Row]>([
  [
    'a device that is missing is created, each row under its own id',
    {
      record: aRecord(native, templated),
      plan: { kind: 'create', writes: [put(native), put(templated)], collapsed: 0 },
    },
  ],
  [
    'of rows equal in kind, template and tags only the newest is created',
    { record: aRecord(native, older), plan: { kind: 'create', writes: [put(native)], collapsed: 1 } },
  ],
  [
    'a device of which a handle lives under another key is kept',
    { record: aRecord(native, templated), options: elsewhere, plan: { kind: 'keptLive', collapsed: 0 } },
  ],
  [
    'a device with the same rows under other ids is unchanged',
    { record: aRecord(native), live: aRecord(newId), plan: { kind: 'unchanged', collapsed: 0 } },
  ],
  [
    'a device with some of the rows gets those that are missing',
    {
      record: aRecord(native, templated),
      live: aRecord(native),
      plan: { kind: 'complete', writes: [put(templated)], collapsed: 0 },
    },
  ],
  [
    'a device that differs is kept',
    { record: aRecord(native, templated), live: aRecord(otherTags), plan: { kind: 'keptLive', collapsed: 0 } },
  ],
  [
    'a device with one more row is kept',
    { record: aRecord(native), live: aRecord(native, templated), plan: { kind: 'keptLive', collapsed: 0 } },
  ],
  [
    'a row written twice, under its own id and a new one, loses the new one',
    {
      record: aRecord(native),
      live: aRecord(native, newId),
      options: minted,
      plan: { kind: 'deduplicate', writes: [{ kind: 'rowDeletion', id: '77-7-1', etag: 3 }], collapsed: 0 },
    },
  ],
  [
    'a row under an id that only looks like ours stays',
    { record: aRecord(native), live: aRecord(native, newId), plan: { kind: 'unchanged', collapsed: 0 } },
  ],
  [
    'an installation that is missing is created by one call',
    { record: aRecord(appNative, appTemplate), plan: { kind: 'create', writes: [putApp()], collapsed: 0 } },
  ],
  [
    'an installation that did not appear is put with another expiry',
    {
      record: aRecord(appNative, appTemplate),
      options: repair,
      plan: { kind: 'create', writes: varied, collapsed: 0 },
    },
  ],
  [
    'an installation with some of its rows is kept',
    {
      record: aRecord(appNative, appTemplate),
      live: aRecord(appNative),
      plan: { kind: 'keptLive', collapsed: 0 },
    },
  ],
  [
    'an installation that appeared in part is put as a whole',
    {
      record: aRecord(appNative, appTemplate),
      live: aRecord(appNative),
      options: repair,
      plan: { kind: 'complete', writes: varied, collapsed: 0 },
    },
  ],
  [
    'an installation with the tag that earlier versions left is put without it',
    {
      record: aRecord(appNative, appTemplate),
      live: aRecord(...markedApp),
      plan: { kind: 'complete', writes: [putApp()], collapsed: 0 },
    },
  ],
  [
    'so it is when the snapshot has the tag, too',
    {
      record: aRecord(...markedApp),
      live: aRecord(...markedApp),
      plan: { kind: 'complete', writes: [putApp()], collapsed: 0 },
    },
  ],
  [
    'a snapshot with that tag is the same as a target without it',
    {
      record: aRecord(...markedApp),
      live: aRecord(appNative, appTemplate),
      plan: { kind: 'unchanged', collapsed: 0 },
    },
  ],
  [
    'an installation is restored without its template that has no name',
    { record: aRecord(appNative, unnamed), plan: { kind: 'create', writes: [putApp()], collapsed: 0 } },
  ],
  [
    'and is the same as a target without that template',
    { record: aRecord(appNative, unnamed), live: aRecord(appNative), plan: { kind: 'unchanged', collapsed: 0 } },
  ],
])('%s', (_rule, { record, live, options, plan }) => {
  expect(planRecord(record, live, { ...plain, ...options })).toEqual(plan);
});
