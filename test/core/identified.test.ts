import { expect, test } from 'vitest';
import { intendedRows } from '../../src/core/dual/identified.ts';
import type { DeviceState } from '../../src/core/dual/intent.ts';
import { descriptionForWrite } from '../../src/core/registration/registration.ts';
import { type ErasureKind, erasureKinds, identifiersOf } from '../../src/core/request/erasure.ts';
import { anAppleRow, tokenOf } from '../support/rows.ts';

const installation = { kind: 'installation', id: 'Phone' } as const;
const put = (body: object): DeviceState => ({ kind: 'put', body: JSON.stringify(body) });

function identifiers(state: DeviceState, device: Parameters<typeof intendedRows>[0]['device'] = installation) {
  const rows = intendedRows({ device, state });
  const all = (kind: ErasureKind) => [...new Set(identifiersOf({ rows }, kind))].filter((one) => one !== '');
  return Object.fromEntries(erasureKinds.map((kind) => [kind, all(kind)]));
}

test('an installation is known by its id, user, channels and tags, those of templates and tiles included', () => {
  const state = put({
    platform: 'wns',
    userId: 'Ada',
    pushChannel: 'https://main',
    tags: ['News'],
    templates: { a: { body: '{}', tags: ['Deep'] } },
    secondaryTiles: { t: { pushChannel: 'https://tile', tags: ['Tile'], templates: { b: { tags: ['Deepest'] } } } },
  });
  expect(identifiers(state)).toEqual({
    userId: ['ada'],
    installationId: ['phone'],
    handle: ['https://main', 'https://tile'],
    registrationId: [],
    tag: expect.arrayContaining(['news', 'deep', 'tile', 'deepest']),
  });
});

test.each([
  ['apns', 'AB12', 'ab12'],
  ['browser', { endpoint: 'https://push', p256dh: 'p', auth: 'a' }, 'https://push'],
  ['browser', JSON.stringify({ p256dh: 'p', endpoint: 'https://push', auth: 'a' }), 'https://push'],
  ['baidu', 'user-1-42', 'user%2d1-42'],
])('a channel of %s is as rows have it', (platform, pushChannel, handle) => {
  expect(identifiers(put({ platform, pushChannel }))['handle']).toEqual([handle]);
});

test('a patch is known by what it sets', () => {
  const state: DeviceState = {
    kind: 'patch',
    operations: [
      { op: 'replace', path: '/userId', value: 'Ada' },
      { op: 'add', path: '/tags', value: 'Vip' },
      { op: 'replace', path: '/pushChannel', value: 'https://new' },
    ],
  };
  expect(identifiers(state)).toMatchObject({ userId: ['ada'], installationId: ['phone'], handle: ['https://new'] });
  expect(identifiers(state)['tag']).toContain('vip');
});

test('a registration is known by its id, handle and tags; one that cannot be read by its id', () => {
  const device = { kind: 'registration', id: '7-7-7' } as const;
  const body = descriptionForWrite(anAppleRow({ id: '1-1-1', tags: ['x', '$UserId:{Ada}'], token: tokenOf('tablet') }));
  expect(identifiers({ kind: 'put', body }, device)).toEqual({
    userId: ['ada'],
    installationId: [],
    handle: [tokenOf('tablet').toLowerCase()],
    registrationId: ['7-7-7'],
    tag: expect.arrayContaining(['x']),
  });
  expect(identifiers({ kind: 'put', body: 'no description' }, device)).toMatchObject({
    registrationId: ['7-7-7'],
    tag: [],
  });
});

test('fields of another form are none', () => {
  const state = put({ userId: 1, tags: 'x', pushChannel: 2, templates: [], secondaryTiles: { t: null } });
  expect(identifiers(state)).toMatchObject({ userId: [], handle: [], installationId: ['phone'] });
});
