import { expect, test } from 'vitest';
import { type RecordOfRows, recordKey } from '../../src/core/registration/record.ts';
import { descriptionForWrite, parseRegistration, type Registration } from '../../src/core/registration/registration.ts';
import { type PlanOptions, planAgain } from '../../src/core/restore/plan/later-pass.ts';
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
/** With another expiry than it was written with. */
const putApp = {
  kind: 'installation',
  id: 'app',
  json: expect.stringMatching(/(?=.*"tags":\["news"\])(?=.*"9998-12-31T23:59:59.000Z")/),
};

const plain: PlanOptions = {
  expiryFloorAtMs: Date.parse('2026-01-01T00:00:00Z'),
  livesElsewhere: () => false,
  mintedFor: () => [],
};
const elsewhere = { livesElsewhere: (row: Registration) => row === native };
const minted = { mintedFor: (id: string) => (id === '1-1-1' ? ['77-7-1'] : []) };

interface Row {
  readonly record: RecordOfRows;
  readonly live?: RecordOfRows;
  readonly options?: Partial<PlanOptions>;
  readonly plan: object;
}

test.each<[string, Row]>([
  [
    'a device that is missing is written again, each row under its own id',
    {
      record: aRecord(native, templated),
      plan: { kind: 'repair', writes: [put(native), put(templated)] },
    },
  ],
  [
    'of rows equal in kind, template and tags only the newest is written',
    { record: aRecord(native, older), plan: { kind: 'repair', writes: [put(native)] } },
  ],
  [
    'a device of which a handle lives under another key is kept',
    { record: aRecord(native, templated), options: elsewhere, plan: { kind: 'keptLive' } },
  ],
  [
    'a device with the same rows under other ids is unchanged',
    { record: aRecord(native), live: aRecord(newId), plan: { kind: 'unchanged' } },
  ],
  [
    'a device with some of the rows gets those that are missing',
    {
      record: aRecord(native, templated),
      live: aRecord(native),
      plan: { kind: 'repair', writes: [put(templated)] },
    },
  ],
  [
    'a device that differs is kept',
    { record: aRecord(native, templated), live: aRecord(otherTags), plan: { kind: 'keptLive' } },
  ],
  [
    'a device with one more row is kept',
    { record: aRecord(native), live: aRecord(native, templated), plan: { kind: 'keptLive' } },
  ],
  [
    'a row written twice, under its own id and a new one, loses the new one',
    {
      record: aRecord(native),
      live: aRecord(native, newId),
      options: minted,
      plan: { kind: 'repair', writes: [{ kind: 'rowDeletion', id: '77-7-1', etag: 3 }] },
    },
  ],
  [
    'a row under an id that only looks like ours stays',
    { record: aRecord(native), live: aRecord(native, newId), plan: { kind: 'unchanged' } },
  ],
  [
    'an installation that is missing is put with another expiry',
    { record: aRecord(appNative, appTemplate), plan: { kind: 'repair', writes: [putApp] } },
  ],
  [
    'an installation that appeared in part is put as a whole',
    {
      record: aRecord(appNative, appTemplate),
      live: aRecord(appNative),
      plan: { kind: 'repair', writes: [putApp] },
    },
  ],
  [
    'an installation with the tag that earlier versions left is put without it',
    {
      record: aRecord(appNative, appTemplate),
      live: aRecord(...markedApp),
      plan: { kind: 'repair', writes: [putApp] },
    },
  ],
  [
    'so it is when the snapshot has the tag, too',
    {
      record: aRecord(...markedApp),
      live: aRecord(...markedApp),
      plan: { kind: 'repair', writes: [putApp] },
    },
  ],
  [
    'a snapshot with that tag is the same as a target without it',
    {
      record: aRecord(...markedApp),
      live: aRecord(appNative, appTemplate),
      plan: { kind: 'unchanged' },
    },
  ],
  [
    'an installation is written without its template that has no name',
    { record: aRecord(appNative, unnamed), plan: { kind: 'repair', writes: [putApp] } },
  ],
  [
    'and is the same as a target without that template',
    { record: aRecord(appNative, unnamed), live: aRecord(appNative), plan: { kind: 'unchanged' } },
  ],
])('%s', (_rule, { record, live, options, plan }) => {
  expect(planAgain(record, live, { ...plain, ...options })).toEqual(plan);
});
