import { expect, test } from 'vitest';
import { DrError } from '../../src/core/errors.ts';
import type { RecordOfRows } from '../../src/core/registration/record.ts';
import { recordKey } from '../../src/core/registration/record.ts';
import { parseRegistration } from '../../src/core/registration/registration.ts';
import { parseRestoreRequest, parseRollbackRequest, type RestoreRequest } from '../../src/core/request/restore.ts';
import { groupOf, selectorOf } from '../../src/core/request/selection.ts';
import { anAppleRow, anInstallation } from '../support/rows.ts';

const installation = aRecord(
  anInstallation('phone-1', { tags: ['News', 'beta', '$UserId:{ada}'] }).map(([, xml]) => xml),
);
const plain = aRecord([anAppleRow({ id: '1-1-1', tags: ['vip'] })]);
const google = aRecord([
  anAppleRow({ id: '2-2-2', tags: ['news'] })
    .replaceAll('Apple', 'FcmV1')
    .replaceAll('DeviceToken', 'FcmV1RegistrationId'),
]);

function aRecord(xmls: readonly string[]): RecordOfRows {
  const rows = xmls.map(parseRegistration);
  const [first] = rows;
  if (first === undefined) throw new Error('a record has a row');
  return { key: recordKey(first), rows };
}

function selected(only: unknown): RecordOfRows[] {
  const request = parseRestoreRequest(JSON.stringify({ only }));
  return [installation, plain, google].filter(selectorOf(request.only));
}

test.each<[object, RecordOfRows[]]>([
  [{ platforms: ['fcmV1'] }, [google]],
  [{ platforms: ['APPLE', 'FCMV1'] }, [installation, plain, google]],
  [{ tags: 'news' }, [installation, google]],
  [{ tags: '(NEWS && !beta) || vip' }, [plain, google]],
  [{ tags: '$InstallationId:{phone-1}' }, [installation]],
  [{ installationIds: ['phone-1', 'phone-2'] }, [installation]],
  [{ installationIds: ['Phone-1'] }, []],
  [{ userIds: ['ada'] }, [installation]],
  [{ userIds: ['ADA'] }, [installation]],
  [{ platforms: ['apple'], tags: 'news || vip' }, [installation, plain]],
  [{ platforms: ['fcmv1'], userIds: ['ada'] }, []],
])('%j selects what it says', (only, expected) => {
  expect(selected(only)).toEqual(expected);
});

test('without a selection every record is meant', () => {
  expect([installation, plain, google].filter(selectorOf(undefined))).toHaveLength(3);
});

test('a record is written with the first group it belongs to, and last when it is in none', () => {
  const { order } = parseRestoreRequest(JSON.stringify({ order: [{ tags: 'vip' }, { platforms: ['apple'] }] }));
  expect([installation, plain, google].map(groupOf(order))).toEqual([1, 0, 2]);
  expect([installation, plain, google].map(groupOf(undefined))).toEqual([0, 0, 0]);
});

test('a request is stored in the spelling of the hub', () => {
  const request: RestoreRequest = parseRestoreRequest(
    '{"only":{"platforms":["apple","fcmv1"]},"note":"INC-42, Ada Ω"}',
  );
  expect(request).toMatchObject({ only: { platforms: ['Apple', 'FcmV1'] }, note: 'INC-42, Ada Ω' });
});

test.each([
  [{ only: {} }, 'BadRequest', 'only'],
  [{ only: { platforms: ['ios'] } }, 'BadRequest', 'only.platforms.0'],
  [{ only: { platforms: [] } }, 'BadRequest', 'only.platforms'],
  [{ only: { tags: 'a &&' } }, 'BadRequest', 'only.tags'],
  [{ only: { tags: '' } }, 'BadRequest', 'only.tags'],
  [{ only: { tag: 'a' } }, 'UnknownField', 'tag'],
  [{ only: { installationIds: Array.from({ length: 1001 }, String) } }, 'BadRequest', 'only.installationIds'],
  [{ order: [] }, 'BadRequest', 'order'],
  [{ order: [{}] }, 'BadRequest', 'order.0'],
  [{ order: [{ tags: 'a' }, { tags: '(a' }] }, 'BadRequest', 'order.1.tags'],
  [{ order: Array.from({ length: 10 }, () => ({ tags: 'a' })) }, 'BadRequest', 'order'],
  [{ note: 'x'.repeat(201) }, 'BadRequest', 'note'],
  [{ note: 'two\nlines' }, 'BadRequest', 'note'],
])('%j is refused, naming the field', (body, code, target) => {
  expect(faultOf(() => parseRestoreRequest(JSON.stringify(body)))).toMatchObject({ code, target });
});

test('a rollback takes a confirmation and a note, and nothing else', () => {
  expect(parseRollbackRequest('{"confirm":"three/devices","note":"wrong hub"}')).toEqual({
    confirm: 'three/devices',
    note: 'wrong hub',
  });
  expect(parseRollbackRequest('')).toEqual({});
  expect(faultOf(() => parseRollbackRequest('{"snapshot":"latest"}'))).toMatchObject({ code: 'UnknownField' });
  expect(faultOf(() => parseRollbackRequest('[]'))).toMatchObject({ code: 'BadRequest' });
});

function faultOf(work: () => unknown): DrError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof DrError) return error;
    throw error;
  }
}
