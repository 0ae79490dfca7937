import { expect, test } from 'vitest';
import { runIn, type Surroundings } from './fake-terminal.ts';
import { refusal, type ScriptedAnswer, startScriptedServer } from './scripted-server.ts';
import { aRestore, restored } from './views.ts';

async function play(
  script: Readonly<Record<string, readonly ScriptedAnswer[]>>,
  argv: readonly string[],
  surroundings: Surroundings = {},
) {
  await using server = await startScriptedServer(script);
  const env = { NOTIFICATION_HUBS_DR_URL: server.url, NOTIFICATION_HUBS_DR_KEY: 'secret-key' };
  const outcome = await runIn(argv, { ...surroundings, env });
  const sent = server.received.filter(({ call }) => !call.startsWith('GET'));
  return { ...outcome, sent: sent.map(({ body }) => body) };
}

const one = { namespace: 'app-neu', hub: 'devices' };
const two = { namespace: 'dr-weu', hub: 'devices' };
const aRole = {
  active: one,
  standby: two,
  since: '1970-01-01T00:00:00.000Z',
  declared: null,
  history: [{ hub: one, since: '1970-01-01T00:00:00.000Z', by: 'settings' }],
};
const switched = {
  ...aRole,
  active: two,
  standby: one,
  since: '2026-11-23T11:00:00.000Z',
  history: [{ hub: two, since: '2026-11-23T11:00:00.000Z', by: 'operator', note: 'region down' }, ...aRole.history],
};

test('role shows which hub is in use, since when, who declared it, and what was before', async () => {
  const { exitCode, out } = await play({ 'GET /api/role': [{ body: switched }] }, ['role']);
  expect(exitCode).toBe(0);
  expect(out).toMatch(/in use +dr-weu\/devices\n +standby +app-neu\/devices\n/);
  expect(out).toMatch(/dr-weu\/devices +2026-11-23T11:00:00Z \(1 h ago\) +now +operator +region down\n/);
  expect(out).toMatch(/app-neu\/devices +the beginning +2026-11-23T11:00:00Z +settings\n/);
});

test('role with a hub declares it, and asks a person to type its full name', async () => {
  const message = 'If devices and backends use dr-weu/devices, repeat this full name after --confirm.';
  const script = { 'POST /api/role': [refusal(400, 'ConfirmationMissing', message), { body: switched }] };
  const asked = await play(script, ['role', 'secondary', '--note', 'region down'], { typed: ['dr-weu/devices'] });
  expect(asked).toMatchObject({ exitCode: 0, out: expect.stringContaining('dr-weu/devices') });
  expect(asked.sent[1]).toEqual({ active: 'secondary', note: 'region down', confirm: 'dr-weu/devices' });
  expect(asked.err).toContain('Now point all backends that register or send at dr-weu/devices, and resume sends.');
  const alone = await play(script, ['role', 'secondary']);
  expect(alone).toMatchObject({ exitCode: 2, err: expect.stringContaining('after --confirm') });
  const declared = { at: '2026-11-23T11:30:00.000Z', by: 'operator' };
  const again = await play({ 'POST /api/role': [{ body: { ...switched, declared } }] }, ['role', 'secondary']);
  expect(again.err).toContain('dr-weu/devices is already in use since 2026-11-23T11:00:00Z, and nothing changed.');
  expect(again.err).not.toContain('point all backends');
});

const dryRun = restored({ dryRun: true, activate: true });
const done = restored({ activate: true, activatedAt: '2026-11-23T12:00:00.000Z' });
const none = { 'GET /api/restores': [{ body: { value: [] } }] };

test('failover shows a dry run, asks for the hub, restores, and says which hub is in use', async () => {
  const script = {
    ...none,
    'GET /api/role': [{ body: aRole }],
    'PUT /api/restores/*': [{ status: 201, body: aRestore() }],
    'GET /api/restores/*': [{ body: dryRun }, { body: done }],
  };
  const { exitCode, out, err, sent } = await play(script, ['failover', '--note', 'n'], { typed: ['dr-weu/devices'] });
  expect(exitCode).toBe(0);
  // In the order of a log of the results; what matters is said again right above the question.
  expect(out).toMatch(/^From app-neu\/devices, the hub in use, into dr-weu\/devices(.|\n)*\nDry run (.|\n)*\nRestore /);
  expect(err).toMatch(
    /dr-weu\/devices becomes the hub in use\. Records 2,000: 1,950 to create, 50 kept live\.\nTo confirm, type .*: \n/,
  );
  expect(out).toContain('in use   dr-weu/devices since 2026-11-23T12:00:00Z');
  expect(sent).toEqual([
    { activate: true, note: 'n', dryRun: true },
    { activate: true, note: 'n', confirm: 'dr-weu/devices' },
  ]);
});

test('a name that was typed wrong is asked for again, twice, without another dry run', async () => {
  const script = {
    ...none,
    'GET /api/role': [{ body: aRole }],
    'PUT /api/restores/*': [{ status: 201, body: aRestore() }],
    'GET /api/restores/*': [{ body: dryRun }, { body: done }],
  };
  const third = await play(script, ['failover'], { rows: 10, typed: ['dr-weu', '', 'DR-WEU/devices'] });
  expect(third).toMatchObject({ exitCode: 0, sent: [{ dryRun: true }, { confirm: 'DR-WEU/devices' }] });
  expect(third.out.match(/^Dry run /gm)).toHaveLength(1);
  const never = await play(script, ['failover'], { typed: ['a', 'b', 'c', 'dr-weu/devices'] });
  expect(never).toMatchObject({ exitCode: 1, sent: [{ dryRun: true }], err: expect.stringContaining('Nothing was') });
});

test('failover writes nothing without the name of the hub, nor after a dry run that failed', async () => {
  const script = {
    ...none,
    'GET /api/role': [{ body: aRole }],
    'PUT /api/restores/*': [{ status: 201, body: aRestore() }],
    'GET /api/restores/*': [{ body: dryRun }],
  };
  const alone = await play(script, ['failover']);
  expect(alone).toMatchObject({ exitCode: 2, err: expect.stringContaining('repeat this full name after --confirm') });
  expect(alone.err).toContain('\nTo confirm: npx notification-hubs-dr failover --no-dry-run --confirm NAMESPACE/HUB\n');
  expect(alone.sent).toHaveLength(1);
  const error = { code: 'HubUnavailable', message: 'Away.' };
  const failed = { ...script, 'GET /api/restores/*': [{ body: restored({ dryRun: true, status: 'Failed', error }) }] };
  const stopped = await play(failed, ['failover', '--confirm', 'dr-weu/devices']);
  expect(stopped).toMatchObject({ exitCode: 1, sent: [expect.objectContaining({ dryRun: true })] });
});

test('a switch away from a hub that answers says what is not carried over, before the dry run', async () => {
  const card = {
    source: { reachable: true, checkedAt: '2026-11-23T11:59:55.000Z' },
    latestGoodSnapshot: { id: 'b1', ageSeconds: 720 },
  };
  const script = {
    ...none,
    'GET /api/role': [{ body: switched }],
    'PUT /api/restores/*': [{ status: 201, body: aRestore() }],
    'GET /api/restores/*': [{ body: dryRun }, { body: done }],
  };
  const argv = ['failback', '--confirm', 'app-neu/devices'];
  const healthy = await play({ ...script, 'GET /api/status': [{ body: card }] }, argv);
  expect(healthy.out).toMatch(
    /dr-weu\/devices answered 5 s ago\. What its devices changed since snapshot b1, 12 min ago, is not carried over\. .*backup --watch.*\n(.|\n)*Dry run/,
  );
  const silent = { verdict: 'NotReady', ...card, source: { reachable: false } };
  const away = await play({ ...script, 'GET /api/status': [{ status: 503, body: silent }] }, argv);
  expect(away).toMatchObject({ exitCode: 0, out: expect.not.stringContaining('not carried over') });
});

test('failover that is repeated finds what is under way, and afterwards that nothing is left to do', async () => {
  const value = [aRestore({ activate: true, id: 'r1' })];
  const script = {
    'GET /api/role': [{ body: aRole }],
    'GET /api/restores': [{ body: { value } }],
    'GET /api/restores/r1': [{ body: done }],
  };
  const again = await play(script, ['failover', '--confirm', 'dr-weu/devices']);
  expect(again).toMatchObject({ exitCode: 0, sent: [], out: expect.stringContaining('Restore r1, which switches') });
  const after = await play({ ...none, 'GET /api/role': [{ body: switched }] }, [
    ...['failover', '--confirm', 'dr-weu/devices'],
  ]);
  expect(after).toMatchObject({ exitCode: 0, sent: [], out: expect.stringContaining('is in use already') });
});

test('a switch that is confirmed with any name but that of the hub to come into use is refused before the dry run', async () => {
  const refused = { exitCode: 1, sent: [], err: expect.stringMatching(/^ConfirmationMissing: .*dr-weu\/devices/) };
  const script = { ...none, 'GET /api/role': [{ body: aRole }] };
  for (const name of ['app-neu/devices', 'dr-weu/device']) {
    expect(await play(script, ['failover', '--confirm', name])).toMatchObject(refused);
  }
  const wayBack = { ...none, 'GET /api/role': [{ body: switched }] };
  expect(await play(wayBack, ['failback', '--confirm', 'dr-weu/devices'])).toMatchObject({ exitCode: 1, sent: [] });
});

test('failback goes only into a hub that was in use', async () => {
  const never = await play({ ...none, 'GET /api/role': [{ body: aRole }] }, ['failback']);
  expect(never).toMatchObject({ exitCode: 2, err: expect.stringContaining('was never in use') });
  const script = {
    ...none,
    'GET /api/role': [{ body: switched }],
    'PUT /api/restores/*': [{ status: 201, body: aRestore() }],
    'GET /api/restores/*': [{ body: restored({ activate: true }) }],
  };
  const argv = ['failback', '--no-dry-run', '--confirm', 'app-neu/devices', '--on-conflict', 'overwrite'];
  const { out, sent } = await play(script, argv);
  expect(sent).toEqual([{ activate: true, onConflict: 'overwrite', confirm: 'app-neu/devices' }]);
  expect(out).toContain('the hubs were NOT switched');
});
