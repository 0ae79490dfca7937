import { readOptions, refuse, wholeNumber } from './options.ts';
import type { Stack } from './stack.ts';

const help = `Rehearses disasters end to end and proves that every device is reached.

  npm run drill -- [options]

  --devices N   devices in the primary hub (default: 2000)
  --seed S      seed they are made from (default: 1)
  --story NAME  disaster: failover into an empty hub in which devices have begun to register;
                warm-secondary: into one that a rehearsal filled before devices changed and opted out;
                worst-night: while a backup of the dead primary is in flight, into one that is slow;
                there-and-back: failovers and failbacks; the primary returns full, changed, and empty
                (default: all)
  --keys HOW    identity: the app knows its hubs by resource ids, and reads their keys with its identity (default)
                settings: it has connection strings, as builds before 1.0 need them
  --source WHAT list: backups list the primary (default); export: they read an export job's file
  --writer WHAT direct: restores write each registration (default); import: import jobs create the plain ones
  --job HOW     the jobs of both hubs: completes (default), stuck, fails, does-nothing, cut-short, lossy
  --app DIR     folder of another build of the app (default: this one)
  --host-node P the Node that runs the Functions host (default: this one)
  --json        the last line of stdout is one JSON object
  --verbose     the host's log on stderr, too
  --help

Exit codes: 0 every device got the message exactly once; 1 some did not; 2 wrong options.
`;

const stories = ['disaster', 'warm-secondary', 'worst-night', 'there-and-back'] as const;

const values = readOptions(help, {
  devices: { type: 'string', default: '2000' },
  seed: { type: 'string', default: '1' },
  story: { type: 'string', multiple: true },
  keys: { type: 'string', default: 'identity' },
  source: { type: 'string', default: 'list' },
  writer: { type: 'string', default: 'direct' },
  job: { type: 'string', default: 'completes' },
  app: { type: 'string' },
  'host-node': { type: 'string' },
  json: { type: 'boolean', default: false },
  verbose: { type: 'boolean', default: false },
});
for (const story of values.story ?? []) {
  if (!stories.some((known) => known === story)) refuse(help, `--story must be ${stories.join(', ')}, not "${story}".`);
}
const chosen = stories.filter((story) => values.story?.includes(story) ?? true);

if (values.keys !== 'identity' && values.keys !== 'settings') refuse(help, '--keys must be identity or settings.');

if (values.source !== 'list' && values.source !== 'export') refuse(help, '--source must be list or export.');

if (values.writer !== 'direct' && values.writer !== 'import') refuse(help, '--writer must be direct or import.');

/** The emulator's switches for a way that jobs may end. */
const jobSwitches: Readonly<Record<string, object>> = {
  completes: {},
  stuck: { jobOutcome: 'stuck' },
  fails: { jobOutcome: 'fails' },
  'does-nothing': { jobOutcome: 'does-nothing' },
  'cut-short': { exportCutShort: true, importCutShort: true },
  // Of the first backup, which has none before it to be compared with, only an empty file is seen.
  lossy: { exportLossShare: 1, importLossShare: 0.5 },
};
const chosenJobs = jobSwitches[values.job];
if (chosenJobs === undefined) refuse(help, `--job must be ${Object.keys(jobSwitches).join(', ')}.`);

process.exitCode = await main();

async function main(): Promise<number> {
  const devices = wholeNumber(help, 'devices', values.devices, 10);
  const seed = wholeNumber(help, 'seed', values.seed, 0);
  const { PRIMARY_HUB, SECONDARY_HUB } = await import('./stack.ts');
  const { rehearse, slowFor } = await import('./rehearsal.ts');
  const { rehearseWarmSecondary } = await import('./warm-secondary.ts');
  const { rehearseWorstNight } = await import('./worst-night.ts');
  const { rehearseThereAndBack } = await import('./there-and-back.ts');
  const options = { devices, seed, say };
  let report: object = {};
  let isPass = true;
  for (const story of chosen) {
    await using stack = await openStack(devices, seed);
    say(`Drill "${story}" with ${devices} devices, seed ${seed}`);
    await stack.emulator.admin('POST', `${PRIMARY_HUB}/switches`, chosenJobs);
    await stack.emulator.admin('POST', `${SECONDARY_HUB}/switches`, chosenJobs);
    if (story === 'disaster') {
      const disaster = await rehearse(stack, options);
      const expected = values.source === 'export' && values.job === 'completes' ? 'export' : 'list';
      if (disaster.source !== expected)
        say(`   the last backup came from a ${disaster.source}, not from a ${expected}`);
      const isByJobs = disaster.imported > 0;
      const mustBeByJobs = values.writer === 'import' && values.job === 'completes';
      if (mustBeByJobs && !isByJobs) say('   no registration was created by an import job');
      isPass &&= disaster.verdict === 'pass' && disaster.source === expected && (isByJobs || !mustBeByJobs);
      report = { ...report, ...disaster };
    } else if (story === 'worst-night') {
      const worstNight = await rehearseWorstNight(stack, { ...options, writesPerSecond: slowFor(devices) });
      isPass &&= worstNight.verdict === 'pass';
      report = { ...report, worstNight };
    } else if (story === 'there-and-back') {
      const thereAndBack = await rehearseThereAndBack(stack, options);
      isPass &&= thereAndBack.verdict === 'pass';
      report = { ...report, thereAndBack };
    } else {
      const warmSecondary = await rehearseWarmSecondary(stack, options);
      isPass &&= warmSecondary.verdict === 'pass';
      report = { ...report, warmSecondary };
    }
  }
  say(isPass ? 'PASS: every device got the message exactly once, and no other did.' : 'FAIL: see above.');
  if (values.json) process.stdout.write(`${JSON.stringify({ ...report, verdict: isPass ? 'pass' : 'fail' })}\n`);
  return isPass ? 0 : 1;
}

async function openStack(devices: number, seed: number): Promise<Stack> {
  const { startStack } = await import('./stack.ts');
  return startStack({
    devices,
    seed,
    // As in life.
    isTls: true,
    isByIdentity: values.keys === 'identity',
    appDir: values.app,
    ...(values['host-node'] === undefined ? {} : { nodePath: values['host-node'] }),
    ...(values.verbose ? { onOutput: (text: string) => void process.stderr.write(text) } : {}),
    settings: {
      // The timer is fired by hand, so its schedule must not fire.
      BACKUP_SCHEDULE: '0 0 0 1 1 *',
      SETTLE_SECONDS: '1',
      BACKUP_SOURCE: values.source,
      EXPORT_PATIENCE_MINUTES: '1',
      RESTORE_WRITER: values.writer,
      IMPORT_PATIENCE_MINUTES: '1',
    },
  });
}

/** With `--json` the readable proof goes to stderr, so that stdout is the object alone. */
function say(line: string): void {
  (values.json ? process.stderr : process.stdout).write(`${line}\n`);
}
