import { expect, test } from 'vitest';
import { runIn } from './fake-terminal.ts';
import { refusal, type ScriptedAnswer, startScriptedServer } from './scripted-server.ts';
import { aCard, aRestore, incomplete, RESTORE_ID, restored, SNAPSHOT_ID, someCounts, writing } from './views.ts';

type Script = Readonly<Record<string, readonly ScriptedAnswer[]>>;

const play = (script: Script, ...argv: string[]) => playOn(undefined, script, ...argv);

/** On a screen of that width. */
async function playOn(columns: number | undefined, script: Script, ...argv: string[]) {
  await using server = await startScriptedServer(script);
  const env = { NOTIFICATION_HUBS_DR_URL: `${server.url}/api/`, NOTIFICATION_HUBS_DR_KEY: 'secret-key' };
  const surroundings = columns === undefined ? { env } : { env, columns };
  return { ...(await runIn(argv, surroundings)), received: [...server.received] };
}

test('status shows the verdict with its reason first, then what it rests on', async () => {
  const { exitCode, out } = await play({ 'GET /api/status': [{ body: aCard }] }, 'status');
  expect(exitCode).toBe(0);
  expect(out.split('\n')[0]).toBe('AtRisk: The newest good snapshot is 95 minutes old; one is due every 60 minutes.');
  expect(out).toContain('dr-weu/devices, reachable, tier Standard, room for 10,000,000 more records');
  expect(out).toContain(`${SNAPSHOT_ID}, 1 h 35 min old, 2,000 records`);
  expect(out).toContain('what changed in the last 1 h 35 min: about 4 records');
  expect(out).toContain('would take about 40 s (measured by the last restore)');
  expect(out).toContain('Passed (scratch hub) in 1 min 1 s, 32 h ago');
  expect(out).toContain('BackupMissed since 2026-11-23T11:30:00Z: late');
  expect(out).toContain('12 Gcm: nothing can be delivered since 2024');
});

test('status says of when its figures are where the newest snapshot is suspect, and of which hub nothing is proven', async () => {
  const suspect = { level: 'risk', code: 'SnapshotSuspect', message: 'The newest snapshot is suspect.' };
  const readStartedAt = '2026-11-23T10:25:00Z';
  const card = {
    ...aCard,
    latestGoodSnapshot: { ...aCard.latestGoodSnapshot, readStartedAt },
    provenSnapshot: null,
    coverage: { total: 509, registered: 2, restored: 507, rewritten: 305, missing: 0, percent: 0 },
  };
  const shown = async (body: object) => (await play({ 'GET /api/status': [{ body }] }, 'status')).out;
  const out = (await shown({ ...card, findings: [...aCard.findings, suspect] })).replaceAll(/\s+/g, ' ');
  expect(out).toContain('every 60 minutes. Besides, the newest snapshot of the hub in use is SUSPECT: see below.');
  expect(out).toContain('2,000 records; the newest is SUSPECT, see below');
  expect(out).toContain(`about 4 records, by what had changed as of ${readStartedAt}`);
  expect(out).toContain(`as of ${readStartedAt}: at least 2 of 509 records`);
  expect(out).toContain('305 of those restored were written since the switch, by a restore or by their device');
  expect(out).toContain('no good snapshot of the hub in use has been proven');
  expect(await shown(card)).not.toMatch(/as of |SUSPECT/);
});

test('status marks its verdict on a screen, wraps to its width and says each thing once', async () => {
  const findings = [
    { level: 'risk', code: 'BackupMissed', message: aCard.reason },
    {
      level: 'risk',
      code: 'NotProven',
      message: 'No drill has proven a snapshot within 8 days. Run a drill: notification-hubs-dr drill',
    },
  ];
  const { out } = await playOn(80, { 'GET /api/status': [{ body: { ...aCard, findings } }] }, 'status');
  expect(out).toMatch(/^<yellow>AtRisk<\/yellow>: The newest good snapshot is 95 minutes old;/);
  expect(out.match(/one is due every/g)).toHaveLength(1);
  expect(out.match(/BackupMissed/g)).toHaveLength(1);
  expect(out).toContain(
    'BackupMissed, alert since 2026-11-23T11:30:00Z: The newest good\n                snapshot is 95 minutes old …\n',
  );
  expect(out).toMatch(/^ {2}risk {10}NotProven: No drill .*\n {16}\S/m);
  const plain = out.replaceAll(/<\/?yellow>/g, '').split('\n');
  expect(plain.filter((line) => line.length > 80)).toEqual([]);
});

test('status cuts no sentence of a reason, and shows instants to the second', async () => {
  const reason =
    'The secondary, contoso-push-northeurope-standby/devices, has not answered since 2026-11-23T11:42:10.081Z (connection refused: nothing listens). See to it.';
  const findings = [{ level: 'stop', code: 'SecondaryUnavailable', message: reason }];
  const script = { 'GET /api/status': [{ body: { ...aCard, reason, findings } }] };
  const { out } = await play(script, 'status');
  expect(out).toContain('SecondaryUnavailable: The secondary, contoso-push-northeurope-standby/devices, has not');
  expect(out).toContain('since 2026-11-23T11:42:10Z (connection refused: nothing listens) …\n');
  expect(out).not.toContain('.081Z');
});

test('status says an alert that is the headline once, and a list shows no source for a rollback', async () => {
  const open = [{ code: 'NotReady', since: '2026-11-23T11:30:00Z', message: aCard.reason }];
  const card = { ...aCard, alerts: { ...aCard.alerts, open } };
  const { out } = await play({ 'GET /api/status': [{ body: card }] }, 'status');
  expect(out.match(/95 minutes old; one is due/g)).toHaveLength(1);
  expect(out).toContain('NotReady since 2026-11-23T11:30:00Z: The newest good snapshot is 95 minutes old …\n');
  const rollback = restored({ purpose: 'rollback', of: RESTORE_ID });
  const list = await play({ 'GET /api/restores': [{ body: { value: [rollback] } }] }, 'restores');
  expect(list.out).toMatch(/ Rollback +Succeeded +- +dr-weu\/devices /);
});

test('a dry run says what it would do, a rollback where, and a run that sorts counts nothing yet', async () => {
  const watch = async (view: object) =>
    (await play({ 'GET /api/restores/*': [{ body: view }] }, 'watch', RESTORE_ID)).out;
  expect(await watch(restored({ dryRun: true }))).toContain('  records  2,000: 1,950 to create, 50 kept live\n');
  const rollback = await watch(restored({ purpose: 'rollback', of: RESTORE_ID }));
  expect(rollback).toContain('  in       dr-weu/devices\n');
  expect(rollback).not.toContain('app-neu');
  const sorting = aRestore({ phase: 'Sorting', percent: 0 });
  const { err } = await play(
    { 'GET /api/restores/*': [{ body: sorting }, { body: sorting }, { body: restored() }] },
    'watch',
    RESTORE_ID,
  );
  expect(err).toBe('Sorting\n');
});

test('status counts one as one, and names what proved a snapshot', async () => {
  const card = {
    ...aCard,
    target: { ...aCard.target, room: 1 },
    latestGoodSnapshot: { id: SNAPSHOT_ID, ageSeconds: 60, counts: { records: 1 } },
    atRisk: { minutes: 1, devicesEstimate: 1.2 },
    provenSnapshot: { id: SNAPSHOT_ID, how: 'verified', ageSeconds: 60 },
  };
  const { out } = await play({ 'GET /api/status': [{ body: card }] }, 'status');
  expect(out).toContain('room for 1 more record\n');
  expect(out).toContain('1 min old, 1 record\n');
  expect(out).toContain('what changed in the last 1 min: about 1 record\n');
  expect(out).toContain(`${SNAPSHOT_ID} by a verification, 1 min old\n`);
});

test.each([
  ['Ready', 0, 0],
  ['AtRisk', 0, 4],
  ['NotReady', 1, 5],
  ['Unheard', 0, 5],
])('status that is %s ends with %i, and with %i for a script that asks for it', async (verdict, usual, asked) => {
  const script = { 'GET /api/status': [{ body: { ...aCard, verdict } }] };
  expect((await play(script, 'status')).exitCode).toBe(usual);
  expect((await play(script, 'status', '--exit-code')).exitCode).toBe(asked);
});

test('status says since when a hub has not answered and why, and what a throttling one takes', async () => {
  const source = { reachable: false, silentSince: '2026-11-23T11:57:00Z', cause: 'connection refused' };
  const target = { ...aCard.target, throttled: true, requestsPerSecond: 5 };
  const { out } = await play({ 'GET /api/status': [{ body: { ...aCard, source, target } }] }, 'status');
  expect(out).toContain('app-neu/devices, NOT reachable for 3 min (connection refused)\n');
  expect(out).toContain('dr-weu/devices, reachable, throttled, takes about 5 requests a second, tier Standard');
});

test('status says what the last run into the secondary was, and how far a running one is', async () => {
  const say = async (lastRestore: object) => {
    const { out } = await play({ 'GET /api/status': [{ body: { ...aCard, lastRestore } }] }, 'status');
    return /last restore +(.*)/.exec(out)?.[1];
  };
  const rolledBack = restored({ id: 'r3', purpose: 'rollback', of: RESTORE_ID });
  expect(await say(rolledBack)).toBe(`r3 (rollback of ${RESTORE_ID}), Succeeded, 1 min ago`);
  expect(await say(restored({ dryRun: true }))).toContain('(dry run), Succeeded');
  expect(await say(restored())).toBe(`${RESTORE_ID}, Succeeded, 1 min ago`);
  expect(await say(writing(900))).toContain(
    'Running, 1 min ago, Writing 45 %, 1 min 15 s left, 900 of 2,000, 311 a second',
  );
  expect(await say(aRestore({ rowsRead: 600, rowsExpected: 2400 }))).toContain(
    'Reading 25 %, 600 rows read of about 2,400',
  );
});

test('status says whether the standby is kept in step, and what stopped that', async () => {
  const say = async (standbySync: object | null, role = {}) => {
    const { out } = await play({ 'GET /api/status': [{ body: { ...aCard, standbySync, role } }] }, 'status');
    return /^ *sync +(.*)/m.exec(out)?.[1];
  };
  const last = {
    id: 's1',
    status: 'Succeeded',
    createdAt: '2026-11-23T12:34:00Z',
    counts: { created: 3, unchanged: 7 },
  };
  const inStep = { isInStep: true, lagSeconds: 0, synced: { failed: 2 }, stopped: null, last };
  expect(await say(null)).toBeUndefined();
  expect(await say(inStep)).toMatch(
    /^in step: a failover has nothing left to copy, without 2 records it refused, last s1 Succeeded, .* ago/,
  );
  const stopped = { ...last, status: 'Failed', error: { code: 'SyncStopped', message: 'Too many.' } };
  const behind = { ...inStep, isInStep: false, lagSeconds: 3600, synced: { failed: 0 }, stopped: { runId: 's1' } };
  expect(await say({ ...behind, last: stopped })).toMatch(
    /^1 h behind the newest snapshot: a failover copies the difference first, STOPPED, last s1 Failed \(SyncStopped\), /,
  );
  expect(await say({ ...inStep, synced: { failed: 0, different: 3 } })).toMatch(
    /^in step: a failover has nothing left to copy, but for 3 records that others changed there, /,
  );
  const changed = { ...inStep, isInStep: false, lagSeconds: null, changedBy: { runId: 'r1' } };
  expect(await say(changed)).toMatch(/^NOT in step since r1 changed it, /);
  const unsynced = { ...inStep, isInStep: false, lagSeconds: null, synced: null, last: null };
  expect(await say(unsynced)).toBe('no sync yet: the next good backup starts one');
  expect(await say(unsynced, { history: [{}, {}] })).toBe('no sync since the switch: the next good backup starts one');
});

test('a list of backups names the hub of each', async () => {
  const backup = { id: 'b1', status: 'Succeeded', requestedBy: 'timer', hub: { namespace: 'app-neu', hub: 'devices' } };
  const { out } = await play({ 'GET /api/backups': [{ body: { value: [backup] } }] }, 'backups');
  expect(out).toMatch(/STATUS +HUB +WHO +SNAPSHOT/);
  expect(out).toMatch(/ Succeeded +app-neu\/devices +schedule +none/);
});

test('compare is a table of what differs between the hubs, and says what could not be compared', async () => {
  const body = {
    primary: aCard.primary,
    secondary: aCard.secondary,
    differences: [{ what: 'pushCredential Apple', primary: 'set', secondary: 'none' }],
    unknown: [{ hub: 'dr-weu/devices', reason: 'Not allowed.' }],
  };
  const { exitCode, out } = await play({ 'POST /api/metadata/compare': [{ body }] }, 'compare');
  expect(exitCode).toBe(0);
  expect(out).toMatch(/^SETTING +PRIMARY \(app-neu\/devices\) +SECONDARY \(dr-weu\/devices\)\n/);
  expect(out).toMatch(/pushCredential Apple +set +none\n/);
  expect(out).toContain('not compared: dr-weu/devices: Not allowed.\n');
  const same = await play(
    { 'POST /api/metadata/compare': [{ body: { ...body, differences: [], unknown: [] } }] },
    'compare',
  );
  expect(same.out).toBe('No difference.\n');
});

test('doctor shows each check, with the command that puts it right; exit code 1 when anything is wrong', async () => {
  const checks = [
    { name: 'storage', state: 'good', message: 'Fine.' },
    { name: 'alerts', state: 'bad', message: 'None is sent.', fix: 'az set x' },
    { name: 'region', state: 'unknown', message: 'Not known.' },
  ];
  const wrong = await play({ 'GET /api/doctor': [{ body: { isWell: false, checks } }] }, 'doctor');
  expect(wrong.exitCode).toBe(1);
  expect(wrong.out).toContain('  ok      storage: Fine.\n');
  expect(wrong.out).toContain('  WRONG   alerts: None is sent.\n          az set x\n');
  expect(wrong.out).toContain('  ?       region: Not known.\n');
  const well = await play({ 'GET /api/doctor': [{ body: { isWell: true, checks: [checks[0]] } }] }, 'doctor');
  expect(well.exitCode).toBe(0);
});

test('audit shows who did what, from where, and how it was answered', async () => {
  const at = '2026-11-23T12:00:00.000Z';
  const call = {
    at,
    what: 'startRestore',
    method: 'POST',
    path: '/api/restores',
    from: '203.0.113.7',
    key: '0123456789ab',
  };
  const value = [
    { ...call, id: 'c', name: 'ada', principal: 'ada@example.com', answer: { status: 202, runId: 'r1' } },
    {
      ...{ ...call, id: 'b', name: 'bob', answer: { status: 409, code: 'RunInProgress' } },
      ...{ what: 'rollbackRestore', path: '/api/restores/r1/rollback' },
    },
    { ...call, id: 'a' },
    { id: 'damaged', error: { code: 'StoredDocumentInvalid', message: 'Changed.' } },
  ];
  const { exitCode, out } = await play({ 'GET /api/audit': [{ body: { value } }] }, 'audit');
  expect(exitCode).toBe(0);
  const shownAt = '2026-11-23T12:00:00Z';
  const lines = out.split('\n').map((line) => line.split(/ {2,}/));
  expect(lines.slice(0, 5)).toEqual([
    ['WHEN', 'WHO', 'WHAT', 'ANSWER', 'FROM', 'KEY'],
    [shownAt, 'ada@example.com', 'restore', 'started r1', call.from, call.key],
    [shownAt, 'bob', 'rollback restore r1', 'refused: RunInProgress', call.from, call.key],
    [shownAt, '-', 'restore', 'none yet', call.from, call.key],
    ['damaged', '?', 'cannot be read (StoredDocumentInvalid)', '?', '?', '?'],
  ]);
  const next = 'https://app.example/api/audit?from=a';
  const first = await play({ 'GET /api/audit': [{ body: { value, nextLink: next } }] }, 'audit');
  expect(first.out).toContain('Older ones: npx notification-hubs-dr audit --all\n');
});

test('a list of restores names a sync', async () => {
  const { out } = await play(
    { 'GET /api/restores': [{ body: { value: [restored({ purpose: 'sync' })] } }] },
    'restores',
  );
  expect(out).toMatch(/ Standby sync +Succeeded/);
});

test('status that is NotReady shows the card though the app answers 503, and is exit code 1', async () => {
  const card = { ...aCard, verdict: 'NotReady', latestGoodSnapshot: null };
  const { exitCode, out } = await play({ 'GET /api/status': [{ status: 503, body: card }] }, 'status');
  expect(exitCode).toBe(1);
  expect(out).toContain('NO good snapshot');
});

test('status understands a card that knows less', async () => {
  const card = { verdict: 'Ready', reason: 'Fresh.', primary: aCard.primary, secondary: aCard.secondary };
  const { exitCode, out } = await play({ 'GET /api/status': [{ body: card }] }, 'status');
  expect(exitCode).toBe(0);
  expect(out).not.toContain('undefined');
});

test('snapshots are a table: age, health, devices, proof, pin, and why one is suspect', async () => {
  const good = {
    id: SNAPSHOT_ID,
    hub: { namespace: 'app-neu', hub: 'devices' },
    readStartedAt: '2026-11-23T11:00:00Z',
    health: 'good',
    amount: '1,990 devices = 2,000 records = 2,300 registrations',
    pinned: true,
    proof: { how: 'drill' },
  };
  const suspect = {
    ...good,
    id: 'older',
    health: 'suspect',
    healthReasons: ['the hub was empty'],
    proof: null,
    pinned: false,
  };
  const undone = { ...good, id: 'between', proof: null, undone: true };
  const broken = { id: 'broken', health: 'unusable', error: { code: 'SnapshotCorrupt', message: 'Damaged.' } };
  const { out } = await play(
    { 'GET /api/snapshots': [{ body: { value: [good, suspect, undone, broken] } }] },
    'snapshots',
  );
  expect(out).toMatch(
    new RegExp(
      `${SNAPSHOT_ID} +app-neu/devices +1 h ago +good +a drill +yes +1,990 devices = 2,000 records = 2,300 registrations\n`,
    ),
  );
  expect(out).toMatch(
    /older +app-neu\/devices +1 h ago +suspect +- +- +1,990 devices .* registrations +the hub was empty\n/,
  );
  expect(out).toMatch(/between +app-neu\/devices +1 h ago +undone .*it holds devices that were taken back\n/);
  expect(out).toMatch(/broken .*SnapshotCorrupt\n/);
});

test('an erasure shows which snapshots hold what is erased, and which rows live', async () => {
  const hub = { namespace: 'app-neu', hub: 'devices' };
  const snapshots = [
    { id: SNAPSHOT_ID, hub, records: 2, until: '2026-12-01T00:00:00Z', pinned: false },
    { id: 'older', hub, records: null, until: null, pinned: true },
  ];
  const error = { code: 'HubUnavailable', message: 'The hub is down.' };
  const row = { registrationId: '7-7-7', installationId: null, platform: 'Apple', expiresAt: null };
  const live = [
    { hub, rows: [row], error: null },
    { hub: { ...hub, namespace: 'dr-weu' }, rows: [], error },
  ];
  const intended = { dropped: 1200, unread: 3, landingUntil: '2026-11-30T00:00:40.000Z' };
  const script = { 'POST /api/erasures': [{ body: { snapshots, intended, live } }] };
  const { exitCode, out, received } = await play(script, 'erase', '--user-id', 'ada');
  expect(exitCode).toBe(0);
  expect(received).toMatchObject([{ body: { userId: 'ada' } }]);
  expect(out).toMatch(
    new RegExp(`${SNAPSHOT_ID} +app-neu/devices +2 +2026-12-01
`),
  );
  expect(out).toMatch(/older +app-neu\/devices +not read +pinned\n/);
  expect(out).toMatch(/7-7-7 +app-neu\/devices +Apple +-\n/);
  expect(out).toContain('dr-weu/devices: The hub is down.\nDelete these registrations');
  expect(out).toContain('1,200 writes intended by backends dropped.\n');
  expect(out).toMatch(/until 2026-11-30T00:00:40Z: erase again after that.\n3 writes intended .* erase again.\n$/);
  expect(await play({}, 'erase')).toMatchObject({ exitCode: 2, received: [] });
  const gone = { 'DELETE /api/snapshots/older': [{ body: { id: 'older', hub, deleted: true } }] };
  expect(await play(gone, 'delete', 'older')).toMatchObject({ exitCode: 0, out: 'older is deleted.\n' });
});

test('restores lists the last ones with how they ended', async () => {
  const asked = { askedBy: 'ada@console-1', note: 'INC-42' };
  const failedOver = restored({ id: 'f1', activate: true, ...asked });
  const value = [restored(), incomplete(), failedOver, { ...failedOver, isFailback: true, way: 'failback' }];
  const { out } = await play({ 'GET /api/restores': [{ body: { value } }] }, 'restores');
  expect(out).toMatch(
    new RegExp(
      `${RESTORE_ID} +1 min ago +Restore +Incomplete +app-neu/devices +dr-weu/devices +- +2,000: 1,988 created, 12 failed`,
    ),
  );
  expect(out).toMatch(/f1 .* Failover +Succeeded .* ada@console-1 +.* INC-42\n/);
  expect(out).toMatch(/f1 .* Failback +Succeeded .* ada@console-1 +.* INC-42\n/);
});

test('each kind of run has a list, and older ones are read on request', async () => {
  const backup = { id: SNAPSHOT_ID, kind: 'backup', status: 'Succeeded', createdAt: '2026-11-23T11:00:00Z' };
  const path = '/api/backups';
  const script = {
    [`GET ${path}`]: [
      {
        body: {
          value: [{ ...backup, result: { recordCount: 2000, health: 'suspect' } }],
          nextLink: `https://elsewhere.example${path}?from=2026-11-23T11:00:00Z`,
        },
      },
    ],
    [`GET ${path}?from=2026-11-23T11:00:00Z`]: [{ body: { value: [{ ...backup, id: 'older', status: 'Canceled' }] } }],
    'GET /api/verifications': [
      {
        body: { value: [{ id: 'v1', status: 'Succeeded', snapshot: { id: SNAPSHOT_ID }, counts: { verified: 2000 } }] },
      },
    ],
    'GET /api/drills': [
      { body: { value: [{ id: 'd1', status: 'Failed', how: 'scratch hub', seconds: 61, reason: 'No.' }] } },
    ],
  };
  const { out } = await play(script, 'backups');
  expect(out).toMatch(new RegExp(`${SNAPSHOT_ID} +1 h ago +Succeeded +- +- +2,000 records, suspect\n`));
  expect(out).toContain('Older ones: npx notification-hubs-dr backups --all\n');
  expect((await play(script, 'backups', '--all')).out).toMatch(/older +1 h ago +Canceled +- +- +none\n$/);
  expect((await play(script, 'verifications')).out).toMatch(
    /v1 .*Succeeded +- +2026-11-23T11-00-00Z-aaaaaa, 2,000 verified\n/,
  );
  expect((await play(script, 'drills')).out).toMatch(/d1 .*Failed +- +scratch hub, 1 min 1 s, No\.\n/);
});

test('report is the Markdown page, and with --json its facts', async () => {
  const script = { 'GET /api/restores/*/report': [{ body: '# Restore\n' }] };
  const page = await play(script, 'report', RESTORE_ID);
  expect(page).toMatchObject({ exitCode: 0, out: '# Restore\n' });
  expect(page.received[0]).toMatchObject({ accept: 'text/markdown' });
  const facts = await play(
    { 'GET /api/restores/*/report': [{ body: { id: RESTORE_ID } }] },
    'report',
    RESTORE_ID,
    '--json',
  );
  expect(JSON.parse(facts.out)).toEqual({ id: RESTORE_ID });
  expect(facts.received[0]).toMatchObject({ accept: 'application/json' });
});

test('failures are shown as the app counts them, and each on request', async () => {
  const path = `/api/restores/${RESTORE_ID}/failures`;
  const alike = { platform: 'Apple', code: 'Rejected', status: 400, words: 'Tags can not.' };
  const link = (query: string) => `https://elsewhere.example${path}?${query}`;
  const script = {
    [`GET ${path}?by=reason`]: [
      {
        body: {
          value: [
            { code: 'TooLarge', count: 1, examples: ['installation b'] },
            { ...alike, count: 3, examples: ['installation a', 'installation c', 'installation d'] },
          ],
          nextLink: link('by=reason&from=7:0'),
        },
      },
    ],
    [`GET ${path}?by=reason&from=7:0`]: [{ body: { value: [{ ...alike, count: 94, examples: ['installation e'] }] } }],
    [`GET ${path}`]: [{ body: { value: [{ ...alike, record: 'installation a' }], nextLink: link('from=0:1') } }],
    [`GET ${path}?from=0:1`]: [{ body: { value: [{ record: 'installation b', code: 'TooLarge' }] } }],
  };
  const { out } = await play(script, 'failures', RESTORE_ID);
  expect(out.split('\n')).toEqual([
    '97 records of Apple: Rejected (HTTP 400)',
    '  the hub says: Tags can not.',
    '  installation a',
    '  installation c',
    '  installation d',
    '  and 94 more',
    '1 record: TooLarge',
    '  installation b',
    `Each of them: npx notification-hubs-dr failures ${RESTORE_ID} --each`,
    'Failed in all: 98 records.',
    '',
  ]);
  const nextActions = [{ name: 'retry', command: `retry ${RESTORE_ID} --watch` }];
  const retryable = { ...script, 'GET /api/restores/*': [{ body: { ...incomplete(), nextActions } }] };
  const { out: withNext } = await play(retryable, 'failures', RESTORE_ID);
  expect(withNext.split('\n').at(-2)).toBe(
    `Failed in all: 98 records. Fix the cause, then: npx notification-hubs-dr retry ${RESTORE_ID} --watch`,
  );
  const { out: each } = await play(script, 'failures', RESTORE_ID, '--each');
  expect(each).toBe('installation a: Rejected (HTTP 400)\ninstallation b: TooLarge\n');
  const { out: json } = await play(script, 'failures', RESTORE_ID, '--json');
  expect(JSON.parse(json)).toMatchObject({ value: [{ record: 'installation a' }, { record: 'installation b' }] });
});

test('of a record that was refused without a reason, failures say what to do', async () => {
  const value = [
    { code: 'Rejected', status: 400, platform: 'Windows', count: 1, examples: ['installation a'] },
    { code: 'TooLarge', count: 1, examples: ['installation b'] },
  ];
  const script = { 'GET /api/restores/*/failures?by=reason': [{ body: { value } }] };
  const { out } = await play(script, 'failures', RESTORE_ID);
  expect(out).toMatch(/^1 record of Windows: .*\n {2}the hub says nothing more: .* leave these out, .*\n/);
  expect(out).toContain('\n1 record: TooLarge\n  installation b\n');
});

test('a share that is not nothing is never 0 %', async () => {
  const say = async (registered: number) => {
    const coverage = { of: 'r1', total: 528, registered, restored: 500, missing: 3, percent: 0 };
    return (await play({ 'GET /api/status': [{ body: { ...aCard, coverage } }] }, 'status')).out;
  };
  expect(await say(5)).toContain('5 of 528 records (under 1 %) registered by themselves');
  expect(await say(0)).toContain('0 of 528 records (0 %) registered by themselves');
});

test('a result explains what its counts say in a word, and calls what asks nothing a note', async () => {
  const view = restored({
    counts: someCounts({ created: 1900, keptLive: 50, withdrawn: 6, onlyInTarget: 44 }),
    byPlatform: { Apple: { created: 1900, keptLive: 50 }, Other: { withdrawn: 6 } },
    warnings: ['Missing in the target: 9 records. Nothing to decide.', 'The snapshot is old.'],
  });
  const watch = async (body: object) => (await play({ 'GET /api/restores/*': [{ body }] }, 'watch', RESTORE_ID)).out;
  const out = await watch(view);
  expect(out).toContain(
    '  note:    Missing in the target: 9 records. Nothing to decide.\n  warning: The snapshot is old.\n',
  );
  expect(out).toContain('kept live: changed by their devices since');
  expect(out).toContain('only in the target: registered there by their devices');
  expect(out).toContain('Other: what the snapshot does not hold');
  expect(await watch(restored({ counts: someCounts({ created: 2000 }), byPlatform: {} }))).not.toContain(
    'devices since',
  );
});

test('after a rollback another snapshot is next', async () => {
  const nextActions = [{ name: 'chooseAnother', command: 'snapshots' }];
  const body = restored({ purpose: 'rollback', of: RESTORE_ID, nextActions });
  const { out } = await play({ 'GET /api/restores/*': [{ body }] }, 'watch', RESTORE_ID);
  expect(out).toMatch(
    / next +npx notification-hubs-dr snapshots\n.* restore --snapshot ID --target secondary --watch\n/,
  );
});

test('records of one outcome are read over all pages', async () => {
  const path = `/api/restores/${RESTORE_ID}/records`;
  const script = {
    [`GET ${path}?outcome=updated`]: [
      {
        body: {
          value: [{ record: 'installation a', outcome: 'updated' }],
          nextLink: `https://elsewhere.example${path}?outcome=updated&from=0:1`,
        },
      },
    ],
    [`GET ${path}?outcome=updated&from=0:1`]: [
      { body: { value: [{ record: 'device apple 12', outcome: 'updated' }] } },
    ],
    [`GET ${path}?outcome=onlyInTarget`]: [{ body: { value: [], note: 'They are counted only.' } }],
  };
  const { out } = await play(script, 'records', RESTORE_ID, '--outcome', 'updated');
  expect(out).toBe('installation a\ndevice apple 12\n');
  expect(await play(script, 'records', RESTORE_ID, '--outcome', 'onlyInTarget')).toMatchObject({
    out: 'They are counted only.\n',
  });
});

test('without an outcome, the records of all are listed but those that are as they were', async () => {
  const path = `/api/restores/${RESTORE_ID}/records`;
  const counts = someCounts({ created: 1, withdrawn: 1, unchanged: 1998, onlyInTarget: 7 });
  const script = {
    'GET /api/restores/*': [{ body: restored({ dryRun: true, counts }) }],
    [`GET ${path}?outcome=created`]: [{ body: { value: [{ record: 'installation a', outcome: 'created' }] } }],
    [`GET ${path}?outcome=withdrawn`]: [{ body: { value: [{ record: 'installation b', outcome: 'withdrawn' }] } }],
  };
  expect((await play(script, 'records', RESTORE_ID)).out).toBe(
    'to create: installation a\nto remove as no longer in the source: installation b\n',
  );
});

test('a dry run names some records of each outcome, and leads to all of them', async () => {
  const examples = { created: ['installation a'], withdrawn: ['installation b'], leftover: ['key 12ab'] };
  const script = { 'GET /api/restores/*': [{ body: restored({ dryRun: true, examples }) }] };
  const { out } = await play(script, 'watch', RESTORE_ID);
  expect(out).toContain('such as  to create: installation a\n');
  expect(out).toContain('such as  to remove as no longer in the source: installation b\n');
  expect(out).not.toContain('key 12ab');
  expect(out).toContain(`by name  npx notification-hubs-dr records ${RESTORE_ID}\n`);
});

test('after a switch, what people have to do comes first among what is next, while that hub is in use', async () => {
  const nextActions = [{ command: 'backup --watch' }];
  const switched = { activate: true, activatedAt: '2026-11-23T11:59:42Z', nextActions };
  const show = async (over: object) =>
    (await play({ 'GET /api/restores/*': [{ body: restored({ ...switched, ...over }) }] }, 'watch', RESTORE_ID)).out;
  const move =
    'now      point all backends that register or send at dr-weu/devices, send to a phone of your own, then resume sends\n';
  expect(await show({ targetInUse: true })).toContain(`  ${move}  next     npx notification-hubs-dr backup --watch\n`);
  expect(await show({ targetInUse: false })).not.toContain('point all backends');
});

test('a run that gives the hub time to settle says for how long, and why', async () => {
  const settling = aRestore({ settlesUntil: '2026-11-23T12:00:08Z', purpose: 'retry', of: 'r1' });
  const script = { 'GET /api/restores/*': [{ body: settling }, { body: settling }, { body: restored() }] };
  const { err } = await play(script, 'watch', RESTORE_ID);
  expect(err).toContain('Reading in 8 s: the hub gets time to show what was written\n');
});

test('what is higher than the screen ends with the verdict once more, and a list with what it has no room for', async () => {
  await using server = await startScriptedServer({
    'GET /api/status': [{ body: aCard }],
    'GET /api/restores/*': [{ body: incomplete() }],
    'GET /api/restores': [{ body: { value: Array.from({ length: 30 }, (_, at) => restored({ id: `r${at}` })) } }],
  });
  const env = { NOTIFICATION_HUBS_DR_URL: server.url, NOTIFICATION_HUBS_DR_KEY: 'k' };
  const linesOf = async (argv: string, rows?: number): Promise<string[]> => {
    const screen = rows === undefined ? {} : { columns: 200, rows };
    return (await runIn(argv.split(' '), { env, ...screen })).out.trimEnd().split('\n');
  };
  for (const argv of ['status', `watch ${RESTORE_ID}`]) {
    const whole = await linesOf(argv, 60);
    expect(await linesOf(argv, whole.length + 1)).toEqual(whole);
    expect(await linesOf(argv, whole.length)).toEqual([...whole, whole[0]]);
  }
  const piped = await linesOf('restores');
  expect(piped).toHaveLength(31);
  const shown = await linesOf('restores', 24);
  expect(shown).toHaveLength(23);
  expect(shown.at(-1)).toBe('Older ones: npx notification-hubs-dr restores --all');
  expect(shown[1]).toMatch(/^r0 /);
  expect(await linesOf('restores --all', 24)).toHaveLength(31);
});

test('a test of alerts says whether the webhook took it, and fails when it did not', async () => {
  const script = {
    'POST /api/alerts/test': [{ body: { taken: true } }],
  };
  expect(await play(script, 'test-alert')).toMatchObject({ exitCode: 0, out: expect.stringContaining('took it') });
  const refused = { 'POST /api/alerts/test': [{ body: { taken: false, seen: 'status 404' } }] };
  const out = expect.stringContaining('did NOT take it (status 404)');
  expect(await play(refused, 'test-alert')).toMatchObject({ exitCode: 1, out });
});

test('accept says what to do next', async () => {
  const script = { [`POST /api/snapshots/${SNAPSHOT_ID}/accept`]: [{ body: { id: SNAPSHOT_ID } }] };
  const out = `${SNAPSHOT_ID} is accepted: the next backup like it is good. Take it now: npx notification-hubs-dr backup --watch\n`;
  expect(await play(script, 'accept', SNAPSHOT_ID)).toMatchObject({ exitCode: 0, out });
});

test('pin and unpin say whether the snapshot is pinned', async () => {
  const path = `/api/snapshots/${SNAPSHOT_ID}/pin`;
  const script = {
    [`PUT ${path}`]: [{ body: { id: SNAPSHOT_ID, pinned: true } }],
    [`DELETE ${path}`]: [{ body: { id: SNAPSHOT_ID, pinned: false } }],
  };
  expect(await play(script, 'pin', SNAPSHOT_ID)).toMatchObject({ exitCode: 0, out: `${SNAPSHOT_ID} is pinned.\n` });
  expect(await play(script, 'unpin', SNAPSHOT_ID)).toMatchObject({ out: `${SNAPSHOT_ID} is not pinned.\n` });
});

test('an error of the API is shown with its code and what to do', async () => {
  const script = {
    'PUT *': [],
    'GET /api/restores/*/report': [refusal(404, 'RunNotFound', "There is no restore 'x'.")],
  };
  expect(await play(script, 'report', 'x')).toMatchObject({
    exitCode: 1,
    err: "RunNotFound: There is no restore 'x'.\n",
  });
});

const cleanUp = {
  ...{
    id: 'clean-1',
    hub: 'dr-neu/devices',
    standby: 'dr-weu/devices',
    isPreview: false,
    due: 2,
    removed: 1,
    held: 'time',
  },
  read: { verdicts: 40, dead: 30, renewed: 1 },
  marks: { waiting: 5 },
  bursts: [{ platform: 'Apple', count: 30 }],
  items: [
    { outcome: 'removed', kind: 'installation', id: 'phone-1', platform: 'FcmV1', deadAt: '2026-11-22T10:00:00.000Z' },
  ],
};

test('feedback shows what the last clean-up removed, or another one, or that none has ended', async () => {
  const last = await play(
    {
      'GET /api/feedback': [{ body: { mode: 'on', last: { id: 'clean-1' } } }],
      'GET /api/feedback/clean-1': [{ body: cleanUp }],
    },
    'feedback',
  );
  expect(last.exitCode).toBe(0);
  expect(last.out).toContain('40 verdicts: 30 dead, 1 with a new handle');
  expect(last.out).toContain('there was no time for all');
  expect(last.out).toContain(
    'Of Apple, push services called 30 devices dead within an hour: look at the push credentials.',
  );
  expect(last.out).toMatch(/removed +installation +FcmV1 +2026-11-22T10:00:00Z +phone-1\n/);
  const named = await play({ 'GET /api/feedback/clean-1': [{ body: cleanUp }] }, 'feedback', 'clean-1');
  expect(named.out).toBe(last.out);
  const none = await play({ 'GET /api/feedback': [{ body: { mode: 'off', last: null } }] }, 'feedback');
  expect(none.out).toBe('No clean-up has ended yet. FEEDBACK_CLEANUP is off.\n');
});

test('clean-up sends what it is asked for, and shows a preview as one', async () => {
  const body = { ...cleanUp, isPreview: true, removed: 0, bursts: [], held: undefined };
  const { exitCode, out, received } = await play({ 'POST /api/feedback': [{ body }] }, 'clean-up', '--dry-run');
  expect(exitCode).toBe(0);
  expect(out).toMatch(/would remove +2\n/);
  expect(received.map((one) => one.body)).toEqual([{ dryRun: true }]);
});
