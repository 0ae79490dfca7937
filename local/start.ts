import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { scheduleFault } from '../src/settings/schedule.ts';
import { outliveReader, readOptions, refuse, wholeNumber } from './options.ts';
import type { Stack } from './stack.ts';

const help = `Runs the main job on this machine: storage, two emulated hubs, the Functions host.

  npm start -- [options]

  --devices N      devices in the primary hub (default: 2000)
  --seed S         seed they are made from (default: 1)
  --schedule CRON  when to back up, six fields (default: "0 * * * * *", each minute)
  --port N         of the HTTP API (default: 7071, or a free one)
  --hub-port N     of the primary hub; the secondary has the next (default: 5770, or free ones)
  --admin-port N   of the hubs' admin endpoint (default: 5769, or a free one)
  --help

Settings of the app come from the environment: STANDBY_SYNC=afterBackup npm start
`;

const values = readOptions(help, {
  devices: { type: 'string', default: '2000' },
  seed: { type: 'string', default: '1' },
  schedule: { type: 'string', default: '0 * * * * *' },
  port: { type: 'string' },
  'hub-port': { type: 'string' },
  'admin-port': { type: 'string' },
});
const whole = (name: 'devices' | 'seed' | 'port' | 'hub-port' | 'admin-port', text: string, most?: number): number =>
  wholeNumber(help, name, text, 0, most);
const options = {
  devices: whole('devices', values.devices),
  seed: whole('seed', values.seed),
  port: whole('port', values.port ?? '7071', 65_535),
  hubPort: whole('hub-port', values['hub-port'] ?? '5770', 65_534),
  adminPort: whole('admin-port', values['admin-port'] ?? '5769', 65_535),
};
const fault = scheduleFault(values.schedule);
if (fault !== undefined) refuse(help, `--schedule ${fault}.`);

await main();

async function main(): Promise<void> {
  const ports = await choosePorts();
  const { startStack } = await import('./stack.ts');
  outliveReader();
  let isStopping = false;
  const stopping = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), orphaned()]).then(() => {
    isStopping = true;
    return 0;
  });
  process.stdout.write(
    'Starting storage, two hubs and the Functions host, and building the app where it has changed …\n',
  );
  const { startAlertSink } = await import('./alert-sink.ts');
  await using sink = await startAlertSink((line) => process.stdout.write(line));
  await using stack = await startStack({
    devices: options.devices,
    seed: options.seed,
    ...ports,
    settings: {
      ALERT_WEBHOOK_URL: process.env['ALERT_WEBHOOK_URL'] ?? sink.url,
      BACKUP_SCHEDULE: values.schedule,
      SETTLE_SECONDS: '3',
    },
    onPart: (what) => process.stdout.write(`  ${what}\n`),
    onOutput: (text) => process.stdout.write(text),
  });
  const settingsFault = await findSettingsFault(stack);
  if (settingsFault !== undefined) {
    process.stderr.write(`${settingsFault}\n`);
    process.exitCode = 1;
    return;
  }
  process.stdout.write(guide(stack));
  const died = hostDied(stack).then(async (code) => {
    // Ctrl-C also reaches the children, and one may end before this process has handled the signal.
    await sleep(200);
    if (!isStopping) process.stderr.write(`The Functions host ended (exit code ${code}).\n`);
    return isStopping ? 0 : 1;
  });
  process.exitCode = await Promise.race([stopping, died]);
  process.stdout.write('\nStopping …\n');
}

/** The app reads its settings at the first call: a host with wrong ones looks well until then. */
async function findSettingsFault({ host }: Stack): Promise<string | undefined> {
  const answer = await fetch(`${host.url}/api/snapshots`, { headers: { 'x-functions-key': host.keys.default } });
  if (answer.headers.get('x-ms-error-code') !== 'SettingsInvalid') return undefined;
  const { error } = z.object({ error: z.object({ message: z.string() }) }).parse(await answer.json());
  return `SettingsInvalid: ${error.message}`;
}

/** A port that was asked for is taken or refused; of the usual ones any free one takes the place. */
async function choosePorts() {
  const { freeOr } = await import('./hub-lab/free-port.ts');
  const choose = async (name: 'port' | 'hub-port' | 'admin-port', wanted: number, count: 1 | 2): Promise<number> => {
    const isFree = (await freeOr(wanted)) === wanted && (count === 1 || (await freeOr(wanted + 1)) === wanted + 1);
    if (wanted === 0 || isFree) return wanted;
    if (values[name] === undefined) return 0;
    const ports = count === 1 ? `${wanted} is` : `${wanted} or ${wanted + 1} is`;
    return refuse(help, `--${name}: ${ports} taken. Choose another, or 0 for any free one.`);
  };
  return {
    port: await choose('port', options.port, 1),
    hubPort: await choose('hub-port', options.hubPort, 2),
    adminPort: await choose('admin-port', options.adminPort, 1),
  };
}

/** Resolves with the exit code of a host that ended by itself. */
async function hostDied({ host }: Stack): Promise<unknown> {
  const [code] = await once(host.child, 'exit');
  return code;
}

/** The shell npm starts this in does not hand a signal on: when it is gone, nothing is left to stop this process. */
async function orphaned(): Promise<void> {
  const parent = process.ppid;
  while (process.ppid === parent) await sleep(500, undefined, { ref: false });
}

function guide({ host, emulator }: Stack): string {
  const api = `curl -s -H 'x-functions-key: ${host.keys.default}'`;
  const admin = `curl -s -X POST ${emulator.adminUrl}/namespaces`;
  return `
Primary hub    ${emulator.namespaces['primary']?.url}/devices (${options.devices} devices)
Secondary hub  ${emulator.namespaces['secondary']?.url}/devices (empty)
HTTP API       ${host.url}/api
Console        ${host.url}/api/console (paste the function key there)
Function key   ${host.keys.default}
Backup runs on schedule "${values.schedule}". Ctrl-C ends everything.
Below come the log lines of the app: time, function, what happened. "Alert:" is
what would be sent to your chat or pager, the address in ALERT_WEBHOOK_URL.

First, in another terminal. The rehearsal of docs/RUNBOOK.md wants it, too, and
an empty secondary: restart this for it.
  export NOTIFICATION_HUBS_DR_URL=${host.url} NOTIFICATION_HUBS_DR_KEY=${host.keys.default} ADMIN=${emulator.adminUrl}

A first task, in three lines: back up, let the primary's region fail, and fail
over. Every device comes back in the secondary, which is then the hub in use.
  npx notification-hubs-dr backup --watch
  ${admin}/primary/down
  npx notification-hubs-dr failover

More to try:
  # the region returns, and the devices with it
  npx notification-hubs-dr backup --watch
  ${admin}/primary/up
  npx notification-hubs-dr failback
  # the same with curl: back up now, and see the snapshots
  ${api} -X POST ${host.url}/api/backups
  ${api} ${host.url}/api/snapshots
  # push to all devices of the secondary, and count what arrived
  ${admin}/secondary/hubs/devices/broadcast
  curl -s ${emulator.adminUrl}/namespaces/secondary/hubs/devices/stats
  # would a failover now go well?
  ${api} ${host.url}/api/status

`;
}
