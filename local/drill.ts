import { readOptions, wholeNumber } from './options.ts';
import { rehearse } from './rehearsal.ts';
import { startStack } from './stack.ts';

const help = `Rehearses a disaster end to end and proves that every device is reached.

  npm run drill -- [--devices N] [--seed S] [--json]

  --devices N   devices in the primary hub (default: 2000)
  --seed S      seed they are made from (default: 1)
  --host-node P the Node that runs the Functions host (default: this one)
  --json        the last line of stdout is one JSON object
  --verbose     the host's log on stderr, too
  --help

Exit codes: 0 every device got the message exactly once; 1 some did not; 2 wrong options.
`;

const values = readOptions(help, {
  devices: { type: 'string', default: '2000' },
  seed: { type: 'string', default: '1' },
  'host-node': { type: 'string' },
  json: { type: 'boolean', default: false },
  verbose: { type: 'boolean', default: false },
});

process.exitCode = await main();

async function main(): Promise<number> {
  const devices = wholeNumber(help, 'devices', values.devices, 10);
  const seed = wholeNumber(help, 'seed', values.seed, 0);
  say(`Disaster drill with ${devices} devices, seed ${seed}`);
  await using stack = await startStack({
    devices,
    seed,
    ...(values['host-node'] === undefined ? {} : { nodePath: values['host-node'] }),
    ...(values.verbose ? { onOutput: (text: string) => void process.stderr.write(text) } : {}),
    settings: {
      // The timer is fired by hand below, so its schedule must not fire.
      BACKUP_SCHEDULE: '0 0 0 1 1 *',
      SETTLE_SECONDS: '1',
    },
  });
  const report = await rehearse(stack, { devices, seed, say });
  const isPass = report.verdict === 'pass';
  say(isPass ? 'PASS: every device got the message exactly once, and no other did.' : 'FAIL: see above.');
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return isPass ? 0 : 1;
}

/** With `--json` the readable proof goes to stderr, so that stdout is the object alone. */
function say(line: string): void {
  (values.json ? process.stderr : process.stdout).write(`${line}\n`);
}
