import { expect, test } from 'vitest';
import { runIn, type Surroundings } from './fake-terminal.ts';
import { refusal, type ScriptedAnswer, startScriptedServer } from './scripted-server.ts';
import { aRestore, incomplete, RESTORE_ID, restored, SNAPSHOT_ID, writing } from './views.ts';

/** One command line against a script; gives how it ended and which calls the server received. */
async function play(
  script: Readonly<Record<string, readonly ScriptedAnswer[]>>,
  argv: readonly string[],
  surroundings: Surroundings = {},
) {
  await using server = await startScriptedServer(script);
  const env = { NOTIFICATION_HUBS_DR_URL: server.url, NOTIFICATION_HUBS_DR_KEY: 'secret-key', ...surroundings.env };
  const outcome = await runIn(argv, { ...surroundings, env });
  return { ...outcome, received: [...server.received] };
}

const started = [{ status: 201, body: aRestore() }];

test('each call says who asks: --by, the environment, or who sits at which machine', async () => {
  const askerOf = async (env: Readonly<Record<string, string>>, ...options: string[]) => {
    const { received } = await play({ 'PUT /api/restores/*': started }, ['restore', ...options], { env });
    return received[0]?.requestedBy;
  };
  expect(await askerOf({ USER: 'ada' })).toBe('ada%40console-1');
  expect(await askerOf({ USER: 'ada', NOTIFICATION_HUBS_DR_USER: 'pager' })).toBe('pager');
  expect(await askerOf({ USER: 'ada' }, '--by', 'Zoë')).toBe('Zo%C3%AB');
  expect(await askerOf({})).toBeUndefined();
});

test('restore without --watch gives its id at once, and how to watch it', async () => {
  const { exitCode, out, received } = await play({ 'PUT /api/restores/*': started }, ['restore']);
  expect(exitCode).toBe(0);
  expect(out).toContain(`Restore ${RESTORE_ID}: Running (Reading)`);
  expect(out).toContain(`notification-hubs-dr watch ${RESTORE_ID}`);
  expect(received).toHaveLength(1);
  expect(received[0]).toMatchObject({ key: 'secret-key', body: {} });
  expect(received[0]?.call).toMatch(/^PUT \/api\/restores\/2026-11-23T12-00-00Z-[0-9a-f]{6}$/);
});

test('restore sends what was asked for, and nothing else', async () => {
  const { received } = await play({ 'PUT /api/restores/*': started }, [
    ...[
      'restore',
      '--id',
      'mine',
      '--snapshot',
      SNAPSHOT_ID,
      '--target',
      'primary',
      '--dry-run',
      '--confirm',
      'dr-neu/devices',
    ],
    ...['--on-conflict', 'overwrite', '--leftovers', 'keep', '--resurrect'],
    ...['--note', 'region down', '--only-platforms', 'Apple, FcmV1', '--only-tags', '!beta', '--only-users', 'u1'],
    ...['--only-installations', 'i1,i2', '--order', 'tags=vip && !beta', '--order', 'platforms=Apple;tags=news'],
  ]);
  expect(received[0]).toMatchObject({ call: 'PUT /api/restores/mine' });
  expect(received[0]?.body).toEqual({
    snapshot: SNAPSHOT_ID,
    target: 'primary',
    dryRun: true,
    confirm: 'dr-neu/devices',
    onConflict: 'overwrite',
    leftovers: 'keep',
    resurrect: true,
    note: 'region down',
    only: { platforms: ['Apple', 'FcmV1'], tags: '!beta', installationIds: ['i1', 'i2'], userIds: ['u1'] },
    order: [{ tags: 'vip && !beta' }, { platforms: ['Apple'], tags: 'news' }],
  });
});

test.for([
  ['ends well', restored(), 0, 'Succeeded after 42 s'],
  ['is incomplete', incomplete(), 3, 'RestoreIncomplete: 12 of 2000 records could not be restored.'],
  [
    'fails',
    restored({ status: 'Failed', error: { code: 'SnapshotCorrupt', message: 'Damaged.' } }),
    1,
    'SnapshotCorrupt',
  ],
  ['is canceled', restored({ status: 'Canceled' }), 1, 'Canceled'],
] as const)(
  'restore --watch stays until the end, and its exit code says that it %s',
  async ([, last, expected, said]) => {
    const script = {
      'PUT /api/restores/*': started,
      [`GET /api/restores/${RESTORE_ID}`]: [{ body: writing(500) }, { body: last }],
    };
    const { exitCode, out } = await play(script, ['restore', '--watch']);
    expect(exitCode).toBe(expected);
    expect(out).toContain(said);
  },
);

test('the end of a restore shows counts, platforms, proof and the next commands', async () => {
  const script = { 'PUT /api/restores/*': started, 'GET /api/restores/*': [{ body: restored() }] };
  const { out } = await play(script, ['restore', '--watch']);
  expect(out).toContain('records  2,000: 1,950 created, 50 kept live');
  expect(out).toMatch(/Apple +1,000 created, 50 kept live/);
  expect(out).toContain('pass 2 looked at the hub again and had nothing left to write');
  expect(out).toContain(`notification-hubs-dr rollback ${RESTORE_ID} --watch`);
});

test('an incomplete restore leads to its failures and the retry', async () => {
  const script = { 'PUT /api/restores/*': started, 'GET /api/restores/*': [{ body: incomplete() }] };
  const { out } = await play(script, ['restore', '--watch']);
  expect(out).toContain('failures 12 Rejected');
  expect(out).toContain(`notification-hubs-dr failures ${RESTORE_ID}`);
  expect(out).toContain(`notification-hubs-dr retry ${RESTORE_ID} --watch`);
});

test('the headline of a switch that left records out says which hub came into use', async () => {
  const body = { ...incomplete(), activate: true, activatedAt: '2026-11-23T11:59:41Z' };
  const { out } = await play({ 'GET /api/restores/*': [{ body }] }, ['watch', RESTORE_ID]);
  expect(out.split('\n')[0]).toBe(
    `Restore ${RESTORE_ID}: Incomplete for 12 records after 42 s; dr-weu/devices came into use`,
  );
});

test('warnings are said when a watched restore starts, not only when it has written', async () => {
  const warning = 'Snapshot s1 holds devices that were taken back.';
  const script = {
    'PUT /api/restores/*': [{ status: 201, body: aRestore({ warnings: [warning] }) }],
    'GET /api/restores/*': [{ body: restored() }],
  };
  const { err } = await play(script, ['restore', '--watch']);
  expect(err).toContain(`warning: ${warning}`);
});

test('a restore that a retry has completed says so', async () => {
  const body = { ...incomplete(), retriedBy: 'r2' };
  const { out } = await play({ 'GET /api/restores/*': [{ body }] }, ['watch', RESTORE_ID]);
  expect(out).toContain('retry r2 has put in place what was left out');
});

test('an id that was used before starts nothing, and the answer says when that run ended', async () => {
  const over = { body: restored({ finishedAt: '2026-11-27T22:50:00.000Z' }) };
  for (const options of [[], ['--watch']]) {
    const script = { 'PUT /api/restores/failover-1': [over], 'GET /api/restores/*': [over] };
    const { err } = await play(script, ['restore', '--id', 'failover-1', ...options]);
    expect(err).toContain('exists already: it ended at 2026-11-27T22:50:00Z. Nothing was started now.');
    expect(err).not.toContain(' started.');
  }
});

test('where no screen is, progress is a line a change and no flood', async () => {
  const views = Array.from({ length: 100 }, (_, at) => ({ body: writing(at * 20) }));
  const script = { 'PUT /api/restores/*': started, 'GET /api/restores/*': [...views, { body: restored() }] };
  const { err } = await play(script, ['restore', '--watch']);
  const lines = err.trim().split('\n');
  expect(lines[0]).toBe(`Restore ${RESTORE_ID} started.`);
  expect(lines).toHaveLength(11);
  expect(lines[2]).toBe('Writing 10 %, 1 min 15 s left, 200 of 2,000, 311 a second, throttled 3 s');
  expect(err).not.toContain('\u001b');
});

test('progress of a run that waits says for what, since when, why and when it tries again; a dry run compares', async () => {
  const waiting = {
    on: 'dr-weu/devices',
    cause: 'connection refused',
    since: '2026-11-23T11:57:00Z',
    nextTryAt: '2026-11-23T12:00:20Z',
  };
  const views = [{ body: { ...writing(500), waiting } }, { body: { ...writing(1000), dryRun: true } }];
  const script = { 'GET /api/restores/*': [{ body: writing(500) }, ...views, { body: restored() }] };
  const { err } = await play(script, ['watch', RESTORE_ID]);
  expect(err).toContain(
    'Writing, 500 of 2,000, waiting for dr-weu/devices for 3 min (connection refused), next try in 20 s\n',
  );
  expect(err).toContain('Comparing 50 %, 1 min 15 s left, 1,000 of 2,000');
});

test('refusals advise commands as this tool was called, and its options', async () => {
  const says = async (code: string, message: string) =>
    (await play({ 'POST /api/backups': [refusal(409, code, message)] }, ['backup'])).err;
  const advice = 'Watch it: notification-hubs-dr watch b-1; or stop it: notification-hubs-dr cancel b-1';
  expect(await says('RunInProgress', advice)).toBe(
    'RunInProgress: Watch it: npx notification-hubs-dr watch b-1; or stop it: npx notification-hubs-dr cancel b-1\n',
  );
  const body = (faults: string): string =>
    `The request body cannot be used: ${faults}. Send nothing, or a JSON object with any of: snapshot.`;
  expect(await says('BadRequest', body("'only.platforms.0': is none; 'order.1.tags': is empty"))).toBe(
    'BadRequest: An option cannot be used: --only-platforms: is none; --order: is empty. Add --help to see the options.\n',
  );
  expect(await says('UnknownField', body("'keepNewer' is not a known field"))).toContain(
    'An option cannot be used: --keep-newer is not a known field.',
  );
});

test('on a screen progress is a bar drawn over itself, as wide as the screen at most, and gone at the end', async () => {
  const script = {
    'PUT /api/restores/*': started,
    'GET /api/restores/*': [{ body: writing(500) }, { body: writing(1000) }, { body: restored() }],
  };
  const wide = await play(script, ['restore', '--watch'], { columns: 120 });
  expect(wide.err).toContain('\r\u001b[2K[############............] Writing 50 %, 1 min 15 s left, 1,000 of 2,000');
  expect(wide.err.endsWith('\r\u001b[2K')).toBe(true);
  const narrow = await play(script, ['restore', '--watch'], { columns: 40 });
  for (const drawn of narrow.err.split('\r\u001b[2K').slice(1)) expect(drawn.length).toBeLessThan(40);
  // The bar gives way before what it means does.
  expect(narrow.err).toContain('Writing 50 %, 1 min 15 s left,');
  const usual = await play(script, ['restore', '--watch'], { columns: 90 });
  expect(usual.err).toContain('[######......] Writing 50 %, 1 min 15 s left, 1,000 of 2,000, 311 a second');
  const short = { ...writing(1500), recordsPerSecond: undefined };
  const later = { ...script, 'GET /api/restores/*': [{ body: writing(500) }, { body: short }, { body: restored() }] };
  const { err } = await play(later, ['restore', '--watch'], { columns: 90 });
  const widths = [...err.matchAll(/\[([#.]+)\]/g)].map(([, bar = '']) => bar.length);
  expect(widths).toEqual([14, 14]);
});

test('progress names no pace where nothing was written, and what is left once all is', async () => {
  const run = { ...writing(1000), recordsPerSecond: 38_000, etaSeconds: 7, secondsLostToThrottling: 0 };
  const looking = { ...run, counts: { ...run.counts, created: 0, unchanged: 1000 } };
  const all = { ...run, percent: 100, counts: { ...run.counts, created: 2000, pending: 0 } };
  const script = {
    'PUT /api/restores/*': started,
    'GET /api/restores/*': [{ body: looking }, { body: all }, { body: restored() }],
  };
  const { err } = await play(script, ['restore', '--watch']);
  expect(err).toContain('Writing 50 %, 7 s left, 1,000 of 2,000, nothing to write yet\n');
  expect(err).toContain('Writing 100 %, proven in 7 s, 2,000 of 2,000, 38,000 a second\n');
});

test('--json gives one document, the last view, and messages stay off stdout', async () => {
  const script = {
    'PUT /api/restores/*': started,
    'GET /api/restores/*': [{ body: writing(500) }, { body: restored() }],
  };
  const { exitCode, out, err } = await play(script, ['restore', '--watch', '--json']);
  expect(exitCode).toBe(0);
  expect(JSON.parse(out)).toEqual(JSON.parse(JSON.stringify(restored())));
  expect(err).toContain('started');
});

test('a watched restore outlives an app that is away, and a start whose answer was lost starts once', async () => {
  const away = { status: 503, body: 'Service Unavailable' };
  const script = {
    'PUT /api/restores/*': [{ isReset: true }, away, { status: 200, body: aRestore() }],
    'GET /api/restores/*': [away, refusal(503, 'StorageUnavailable', 'Away.'), away, { body: restored() }],
  };
  const { exitCode, err, received } = await play(script, ['restore', '--watch']);
  expect(exitCode).toBe(0);
  expect(err.match(/\. Retrying for up to 10 min/g)).toHaveLength(2);
  expect(err.match(/answers again/g)).toHaveLength(2);
  expect(new Set(received.filter(({ call }) => call.startsWith('PUT')).map(({ call }) => call)).size).toBe(1);
});

test('patience with an app that stays away ends', async () => {
  const script = { 'PUT /api/restores/*': started, 'GET /api/restores/*': [{ status: 503 }] };
  const { exitCode, err, received } = await play(script, ['restore', '--watch']);
  expect(exitCode).toBe(1);
  expect(err).toContain('answers 503. Check the address and the network');
  expect(received.length).toBeLessThan(40);
});

test('what cannot be repeated safely is not: a backup whose answer was lost is started once', async () => {
  const { exitCode, received } = await play({ 'POST /api/backups': [{ isReset: true }] }, ['backup', '--watch']);
  expect(exitCode).toBe(1);
  expect(received).toHaveLength(1);
});

test('a refusal of the start is shown at once with its code and message, also with --json', async () => {
  const script = { 'PUT /api/restores/*': [refusal(503, 'HubUnavailable', 'The secondary hub cannot be reached.')] };
  const { exitCode, out, err, received } = await play(script, ['restore', '--watch', '--json']);
  expect({ exitCode, calls: received.length }).toEqual({ exitCode: 1, calls: 1 });
  expect(err).toBe('HubUnavailable: The secondary hub cannot be reached.\n');
  expect(JSON.parse(out)).toEqual({
    error: { code: 'HubUnavailable', message: 'The secondary hub cannot be reached.' },
  });
});

test('Ctrl-C while watching says that the restore is still running, and how to watch it again', async () => {
  const script = { 'PUT /api/restores/*': started, 'GET /api/restores/*': [{ body: writing(500) }] };
  const { exitCode, out, err } = await play(script, ['restore', '--watch'], { interruptAtWait: 3 });
  expect(exitCode).toBe(130);
  expect(err).toContain(
    `The restore is still running. To watch it again: npx notification-hubs-dr watch ${RESTORE_ID}`,
  );
  expect(out).toBe('');
});

test('Ctrl-C while a dry run is watched calls it that', async () => {
  const body = { ...writing(500), dryRun: true };
  const { err } = await play({ 'GET /api/restores/*': [{ body }] }, ['watch', RESTORE_ID], { interruptAtWait: 2 });
  expect(err).toContain('The dry run is still running.');
});

test('watch finds a run of any kind by its id', async () => {
  const none = [refusal(404, 'RunNotFound', 'None.')];
  const drill = { id: 'd1', status: 'Succeeded', how: 'verification', snapshot: SNAPSHOT_ID, verdict: 'Passed' };
  const script = {
    'GET /api/restores/*': none,
    'GET /api/backups/*': none,
    // Not known to an older app.
    'GET /api/verifications/*': [{ status: 404 }],
    'GET /api/drills/d1': [{ body: { ...drill, status: 'Running' } }, { body: drill }],
    'GET /api/drills/*': none,
  };
  const found = await play(script, ['watch', 'd1']);
  expect(found).toMatchObject({ exitCode: 0, out: expect.stringContaining('Drill d1: Passed') });
  const missing = await play(script, ['watch', 'nothing']);
  expect(missing).toMatchObject({ exitCode: 1, err: expect.stringContaining("no run 'nothing'") });
});

test('retry starts from the id of a restore', async () => {
  const again = restored({ id: 'r2', purpose: 'retry', of: RESTORE_ID });
  const script = {
    [`POST /api/restores/${RESTORE_ID}/retry`]: [{ status: 202, body: { ...again, status: 'Running' } }],
    'GET /api/restores/r2': [{ body: again }],
  };
  const { exitCode, out } = await play(script, ['retry', RESTORE_ID, '--watch']);
  expect(exitCode).toBe(0);
  expect(out).toContain('Retry r2: Succeeded');
  expect(out).toContain(`of       ${RESTORE_ID}`);
});

test('retry asks for the name of a target that came into use since, and sends it', async () => {
  const script = {
    [`POST /api/restores/${RESTORE_ID}/retry`]: [
      refusal(400, 'ConfirmationMissing', 'The target is dr-weu/devices, the hub in use.'),
      { status: 202, body: restored({ id: 'r2', status: 'Running' }) },
    ],
  };
  const asked = await play(script, ['retry', RESTORE_ID], { typed: ['dr-weu/devices'] });
  expect(asked).toMatchObject({ exitCode: 0, err: expect.stringContaining('the hub in use') });
  expect(asked.received.at(-1)?.body).toEqual({ confirm: 'dr-weu/devices' });
});

test('without a keyboard a refusal ends with the whole command to fill in, without the key', async () => {
  const script = {
    'POST /api/restores/*/retry': [
      refusal(400, 'ConfirmationMissing', 'The target is dr-weu/devices, the hub in use.'),
    ],
  };
  const words = ['--by', 'Ada L.', 'retry', RESTORE_ID, '--watch'];
  for (const key of [['--key', 'secret-key'], ['--key=secret-key']]) {
    const { exitCode, err } = await play(script, [...key, ...words]);
    expect({ exitCode, last: err.split('\n').at(-2) }).toEqual({
      exitCode: 1,
      last: `To confirm: npx notification-hubs-dr --by 'Ada L.' retry ${RESTORE_ID} --watch --confirm NAMESPACE/HUB`,
    });
    expect(err).not.toContain('secret-key');
  }
});

test('a printed command that needs the name of a hub says that it asks for it', async () => {
  const retry = { name: 'retry', command: `retry ${RESTORE_ID} --watch` };
  for (const needsConfirm of [true, false]) {
    const body = { ...incomplete(), nextActions: [{ ...retry, ...(needsConfirm ? { needsConfirm } : {}) }] };
    const script = {
      'GET /api/restores/*': [{ body }],
      'GET /api/restores/*/failures?by=reason': [{ body: { value: [{ code: 'Rejected', count: 12, examples: [] }] } }],
    };
    for (const command of ['watch', 'failures']) {
      const { out } = await play(script, [command, RESTORE_ID]);
      expect(out).toContain(`retry ${RESTORE_ID} --watch\n`);
      expect(/asks for the full name of the hub; .* --confirm NAMESPACE\/HUB/.test(out)).toBe(needsConfirm);
    }
  }
});

test('rollback without a name says what it would do, and starts nothing', async () => {
  const what = 'A rollback changes dr-weu/devices, the hub in use: it removes 1,950 records that r1 created.';
  const script = { 'POST /api/restores/*/rollback': [refusal(400, 'ConfirmationMissing', what)] };
  const alone = await play(script, ['rollback', RESTORE_ID, '--watch']);
  expect(alone).toMatchObject({ exitCode: 1, err: expect.stringContaining(what) });
  expect(alone.received.map(({ body }) => body)).toEqual([{}]);
});

test('rollback asks a person to type the full name of the hub, which the app judges', async () => {
  const undone = aRestore({ id: 'r3', purpose: 'rollback', of: RESTORE_ID });
  const what = 'A rollback changes dr-weu/devices: it removes 1,950 records that r1 created.';
  const unnamed = refusal(400, 'ConfirmationMissing', what);
  const path = 'POST /api/restores/*/rollback';
  const wrongName = refusal(400, 'ConfirmationMissing', 'The confirmation does not name the hub.');
  const wrong = await play({ [path]: [unnamed, wrongName] }, ['rollback', RESTORE_ID], { typed: ['yes', 'no', ''] });
  expect(wrong.received).toHaveLength(4);
  expect(wrong).toMatchObject({ exitCode: 1, err: expect.stringContaining('does not name the hub') });
  const script = { [path]: [unnamed, { status: 202, body: undone }] };
  const right = await play(script, ['rollback', RESTORE_ID, '--note', 'wrong snapshot'], { typed: ['DR-WEU/Devices'] });
  expect(right).toMatchObject({ exitCode: 0, out: expect.stringContaining('Rollback r3: Running') });
  expect(right.err).toContain(what);
  expect(right.received.at(-1)?.body).toEqual({ confirm: 'DR-WEU/Devices', note: 'wrong snapshot' });
});

test('what takes records from the hub in use is no next step of a restore', async () => {
  const rollback = { name: 'rollback', command: 'rollback r1 --watch', needsConfirm: true };
  for (const [inUse, isNamed] of [
    [{}, true],
    [{ writesToHubInUse: true }, false],
  ] as const) {
    const script = { 'GET /api/restores/*': [{ body: restored({ nextActions: [{ ...rollback, ...inUse }] }) }] };
    const { out } = await play(script, ['watch', RESTORE_ID]);
    expect(out.includes('rollback r1')).toBe(isNamed);
  }
});

test('restoring into the source hub asks a person to type its name, and fails without a keyboard', async () => {
  const refused = refusal(409, 'TargetIsSource', 'The target is the hub the snapshot was taken from.');
  const script = { 'PUT /api/restores/*': [refused, { status: 201, body: aRestore() }] };
  const asked = await play(script, ['restore', '--target', 'primary'], { typed: ['dr-neu/devices'] });
  expect(asked.exitCode).toBe(0);
  expect(asked.received[1]?.body).toEqual({ target: 'primary', confirm: 'dr-neu/devices' });
  const alone = await play(script, ['restore', '--target', 'primary']);
  expect(alone).toMatchObject({ exitCode: 1, err: expect.stringContaining('TargetIsSource') });
});

test('backup, verify and drill are watched to their end, and a damaged snapshot or failed drill is exit code 1', async () => {
  const run = { id: 'x1', createdAt: '2026-11-23T11:59:00Z', finishedAt: '2026-11-23T11:59:10Z', warnings: [] };
  const amount = '1,990 devices = 2,000 records = 2,400 registrations';
  const result = { snapshotId: 'x1', recordCount: 2000, amount, health: 'good', healthReasons: [] };
  const backedUp = { ...run, kind: 'backup', status: 'Succeeded', phase: 'Done', result };
  const backup = await play(
    {
      'POST /api/backups': [{ status: 202, body: { ...backedUp, status: 'Running', phase: 'Reading' } }],
      'GET /api/backups/x1': [
        { body: { ...backedUp, status: 'Running', phase: 'Reading', rowsRead: 1200 } },
        { body: backedUp },
      ],
    },
    ['backup', '--watch'],
  );
  expect(backup).toMatchObject({ exitCode: 0, err: expect.stringContaining('Reading, 1,200 rows read') });
  expect(backup.out).toContain(
    'Backup x1: Succeeded after 10 s\n  snapshot x1: 1,990 devices = 2,000 records = 2,400 registrations, good',
  );

  const damaged = {
    ...run,
    kind: 'verification',
    status: 'Failed',
    snapshot: { id: SNAPSHOT_ID },
    counts: { total: 2000, verified: 1990, damaged: 10, pending: 0 },
    damagedArtefacts: [{ name: 'shards/0003.jsonl.gz', code: 'SnapshotCorrupt', message: 'was changed' }],
    error: { code: 'SnapshotCorrupt', message: 'One artefact is damaged.' },
  };
  const verify = await play(
    {
      [`POST /api/snapshots/${SNAPSHOT_ID}/verify`]: [{ status: 202, body: { ...damaged, status: 'Running' } }],
      'GET /api/verifications/x1': [{ body: damaged }],
    },
    ['verify', SNAPSHOT_ID, '--watch'],
  );
  expect(verify).toMatchObject({
    exitCode: 1,
    out: expect.stringContaining('damaged  shards/0003.jsonl.gz: was changed'),
  });

  const drill = { id: 'x1', status: 'Running', how: 'scratch hub', snapshot: SNAPSHOT_ID };
  const failed = await play(
    {
      'POST /api/drills': [{ status: 202, body: drill }],
      'GET /api/drills/x1': [{ body: { ...drill, status: 'Succeeded', verdict: 'Failed', reason: 'not empty' } }],
    },
    ['drill', '--watch'],
  );
  expect(failed).toMatchObject({ exitCode: 1, out: expect.stringContaining('reason   not empty') });
});

test('backup --watch while the scheduled one runs waits for that one, then starts its own', async () => {
  const target = 'timer-1';
  const inProgress = { error: { code: 'RunInProgress', message: 'It is still running.', target } };
  const refusal = { status: 409, headers: { 'x-ms-error-code': 'RunInProgress' }, body: inProgress };
  const backup = (id: string, status: string) => ({ id, kind: 'backup', status });
  const script = {
    'POST /api/backups': [refusal, { status: 202, body: backup('mine-1', 'Running') }],
    'GET /api/backups/timer-1': [{ body: backup(target, 'Failed') }],
    'GET /api/backups/mine-1': [{ body: backup('mine-1', 'Succeeded') }],
  };
  const { exitCode, out, err } = await play(script, ['backup', '--watch']);
  expect({ exitCode, out }).toEqual({ exitCode: 0, out: expect.stringContaining('mine-1') });
  expect(err).toContain('Backup timer-1 began before and may miss newer changes. A new one follows it.\n');
  const refused = { ...script, 'POST /api/backups': [refusal] };
  expect(await play(refused, ['backup'])).toMatchObject({ exitCode: 1, err: expect.stringContaining('RunInProgress') });
});

test('cancel stops a restore and shows its state', async () => {
  const script = { [`POST /api/restores/${RESTORE_ID}/cancel`]: [{ body: restored({ status: 'Canceled' }) }] };
  const { exitCode, out } = await play(script, ['cancel', RESTORE_ID]);
  expect({ exitCode, out }).toEqual({ exitCode: 0, out: expect.stringContaining('Canceled') });
});

test('cancel stops any run, and says of a drill that it cleans up first', async () => {
  const none = refusal(404, 'RunNotFound', 'No.');
  const backup = { id: 'b1', kind: 'backup', status: 'Canceled', createdAt: '2026-11-23T11:59:00Z' };
  const toBackup = { 'POST /api/restores/b1/cancel': [none], 'POST /api/backups/b1/cancel': [{ body: backup }] };
  expect((await play(toBackup, ['cancel', 'b1'])).out).toContain('Backup b1: Canceled');
  const toDrill = {
    ...Object.fromEntries(
      ['restores', 'backups', 'verifications'].map((one) => [`POST /api/${one}/d1/cancel`, [none]]),
    ),
    'POST /api/drills/d1/cancel': [{ body: { id: 'd1', how: 'scratch hub', status: 'Running', stage: 'emptying' } }],
  };
  expect((await play(toDrill, ['cancel', 'd1'])).err).toContain(
    'It first removes from the scratch hub what it restored.',
  );
});

test('cancel says when there was nothing to stop', async () => {
  const script = { [`POST /api/restores/${RESTORE_ID}/cancel`]: [{ body: restored() }] };
  const { exitCode, err } = await play(script, ['cancel', RESTORE_ID]);
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: 'It had ended before, as Succeeded. Nothing was stopped.\n' });
});
