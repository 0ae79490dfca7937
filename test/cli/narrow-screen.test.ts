import { expect, test } from 'vitest';
import { runIn } from './fake-terminal.ts';
import { type ScriptedAnswer, startScriptedServer } from './scripted-server.ts';
import { aCard, incomplete, RESTORE_ID, restored, SNAPSHOT_ID } from './views.ts';

const COLUMNS = 80;
const hub = { namespace: 'contoso-push-northeurope-production', hub: 'devices' };
const standby = { namespace: 'contoso-push-westeurope-production', hub: 'devices' };
const at = '2026-11-22T10:00:00.000Z';
const who = 'ada.lovelace@on-call-laptop-17';
const note = 'INC-4711: the region is down since ten, Ada asked Bob to fail over before the morning comes';
const installation = '71f852882a636bc46a79f4c902009e2923f160070b9b195348903b4af06238d8';
const message = 'The hub answered that it is full, and took no more. Take one now: notification-hubs-dr backup --watch';
const amount = '2,000,000 devices = 2,033,000 records = 2,327,000 registrations, 25,000 of them duplicates';

const restore = {
  ...{
    askedBy: who,
    note,
    activate: true,
    snapshot: { id: SNAPSHOT_ID, hub },
    target: { role: 'secondary', ...standby },
  },
  examples: { created: [`installation ${installation}`, 'device apple 12'] },
  warnings: [`24 registrations of platform Gcm: nothing has been delivered to it since 2024. ${message}`],
};
const snapshot = {
  id: SNAPSHOT_ID,
  hub,
  readStartedAt: at,
  health: 'good',
  amount,
  pinned: true,
  proof: { how: 'drill' },
};
const suspect = { ...snapshot, health: 'suspect', healthReasons: ['the hub was empty', '40 percent of it are gone'] };
const cleanUp = {
  ...{ id: 'c1', hub: 'a/devices', standby: 'b/devices', held: 'bound', bursts: [{ platform: 'Apple', count: 3000 }] },
  read: { verdicts: 40, dead: 30, renewed: 1 },
  items: [{ outcome: 'wouldBeRemoved', kind: 'installation', id: installation, platform: 'FcmV1', deadAt: at }],
};
const row = { registrationId: '7412345678901234567-8412345678901234567-1', installationId: installation };
const call = { at, path: `/api/restores/${RESTORE_ID}/rollback`, from: '2001:db8:ffff:ffff::7', key: '0123456789ab' };
const alike = { platform: 'Apple', code: 'Rejected', status: 400, words: message };

/** By command line: what the app answers to it. */
const shown: Readonly<Record<string, Readonly<Record<string, readonly ScriptedAnswer[]>>>> = {
  status: { 'GET /api/status': [{ body: { ...aCard, latestGoodSnapshot: { ...aCard.latestGoodSnapshot, amount } } }] },
  snapshots: { 'GET /api/snapshots': [{ body: { value: [snapshot, suspect] } }] },
  role: {
    'GET /api/role': [
      { body: { active: hub, standby, history: [{ hub, since: at, by: 'operator', askedBy: who, note }] } },
    ],
  },
  [`watch ${RESTORE_ID}`]: { 'GET /api/restores/*': [{ body: { ...incomplete(), ...restore } }] },
  restores: { 'GET /api/restores': [{ body: { value: [restored(restore), { ...incomplete(), ...restore }] } }] },
  backups: {
    'GET /api/backups': [
      {
        body: {
          value: [{ id: SNAPSHOT_ID, status: 'Succeeded', createdAt: at, hub, askedBy: who, result: { amount } }],
        },
      },
    ],
  },
  verifications: {
    'GET /api/verifications': [
      { body: { value: [{ id: 'v1', status: 'Succeeded', askedBy: who, snapshot, counts: { verified: 2_000_000 } }] } },
    ],
  },
  drills: {
    'GET /api/drills': [{ body: { value: [{ id: 'd1', status: 'Failed', how: 'scratch hub', reason: message }] } }],
  },
  audit: {
    'GET /api/audit': [
      {
        body: {
          value: [{ id: 'a', ...call, what: 'rollbackRestore', name: who, answer: { status: 202, runId: RESTORE_ID } }],
        },
      },
    ],
  },
  [`failures ${RESTORE_ID}`]: {
    'GET /api/restores/*/failures?by=reason': [
      { body: { value: [{ ...alike, count: 97, examples: [`installation ${installation}`] }] } },
    ],
  },
  [`records ${RESTORE_ID} --outcome updated`]: {
    'GET /api/restores/*/records?outcome=updated': [
      { body: { value: [{ record: `installation ${installation}`, outcome: 'updated' }] } },
    ],
  },
  compare: {
    'POST /api/metadata/compare': [
      {
        body: {
          ...{ primary: hub, secondary: standby, unknown: [] },
          differences: [
            { what: 'access policy DefaultFullSharedAccessSignature', primary: 'Listen, Manage', secondary: 'none' },
          ],
        },
      },
    ],
  },
  doctor: {
    'GET /api/doctor': [
      {
        body: {
          isWell: false,
          checks: [
            {
              name: 'alerts',
              state: 'bad',
              message,
              fix: `az functionapp config appsettings set -g GROUP -n APP --settings ALERT_WEBHOOK_URL=…`,
            },
          ],
        },
      },
    ],
  },
  'erase --user-id ada': {
    'POST /api/erasures': [
      {
        body: {
          snapshots: [{ id: SNAPSHOT_ID, hub, records: 2, until: at, pinned: false }],
          live: [{ hub, rows: [{ ...row, platform: 'FcmV1' }] }],
        },
      },
    ],
  },
  'feedback c1': { 'GET /api/feedback/c1': [{ body: cleanUp }] },
  'clean-up --dry-run': { 'POST /api/feedback': [{ body: { ...cleanUp, isPreview: true } }] },
};

/** They show one of the above, or a sentence. */
const others =
  'backup verify accept pin unpin failover failback restore cancel report retry rollback drill test-alert delete help';

async function show(line: string, columns?: number): Promise<string> {
  await using server = await startScriptedServer(shown[line] ?? {});
  const env = { NOTIFICATION_HUBS_DR_URL: server.url, NOTIFICATION_HUBS_DR_KEY: 'k' };
  const { out, err } = await runIn(line.split(' '), columns === undefined ? { env } : { env, columns });
  expect(err.replaceAll('\r\u001b[2K', '')).toBe('');
  return out.replaceAll(/<\/?(?:red|yellow|green)>/g, '');
}

test('each command that shows a table or a card is among these', async () => {
  const { out } = await runIn(['--help'], {});
  const commands = [...out.matchAll(/^ {2}([a-z][a-z-]*) /gm)].map(([, name = '']) => name);
  const known = [...Object.keys(shown).map((line) => line.split(' ')[0] ?? ''), ...others.split(' ')];
  expect([...new Set(known)].sort()).toEqual([...new Set([...commands, 'help'])].sort());
});

test.each(['--help', 'failover --help', 'restore --help'])('on 80 columns, no line of %s is wider', async (line) => {
  const { out } = await runIn(line.split(' '), { columns: 80 });
  expect(out.split('\n').filter(({ length }) => length > 80)).toEqual([]);
});

/** Its own breaks would come anywhere: a word that is wider, and a command that is pasted. */
const isUnbreakable = (line: string): boolean =>
  !/\S +\S/.test(line.trim().replace(/^(?:next|by name) +/, '')) || /^ +(?:(?:next|by name) +npx|az) /.test(line);

test.each(Object.keys(shown))(
  'on a screen of 80 columns, “%s” has no wider line and leaves nothing out',
  async (line) => {
    const piped = await show(line);
    const narrow = await show(line, COLUMNS);
    expect(narrow.split('\n').filter((one) => one.length > COLUMNS && !isUnbreakable(one))).toEqual([]);
    const words = (text: string): string[] => [...new Set(text.split(/\s+/))].filter((word) => word !== '-').sort();
    expect(words(narrow)).toEqual(words(piped));
  },
);

test('a pipe has a line for each row, however wide', async () => {
  const lines = (await show('snapshots')).trim().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[1]?.length).toBeGreaterThan(COLUMNS);
});

test('a wide table continues below each row, by headings, and a command is never broken', async () => {
  expect((await show('snapshots', COLUMNS)).split('\n').slice(0, 5)).toEqual([
    'SNAPSHOT                     HUB',
    `${SNAPSHOT_ID}  contoso-push-northeurope-production/devices`,
    '    TAKEN 26 h ago  HEALTH good  PROVEN BY a drill  PINNED yes',
    '    HOLDS 2,000,000 devices = 2,033,000 records = 2,327,000 registrations,',
    '    25,000 of them duplicates',
  ]);
  expect(await show(`watch ${RESTORE_ID}`, COLUMNS)).toMatch(/ npx notification-hubs-dr backup --watch$/m);
});
