import { inspect, parseArgs } from 'node:util';
import { randomKey } from './keys.ts';
import { runHost } from './run-host.ts';

const help = `Runs a built Azure Functions app on this machine.

  node local/host/main.ts --app DIR [options]

  --app DIR                  folder with package.json and host.json (default: .)
  --port N                   port of the HTTP triggers, 0 for a free one (default: 7071)
  --address A                address to listen on (default: 127.0.0.1)
  --settings FILE            settings, {"Values":{...}}, stronger than local.settings.json, weaker than the environment
  --master-key K             opens everything (default: random, printed once)
  --host-key K               opens all functions (default: random, printed once)
  --function-key NAME=K      opens one function; may be repeated
  --queue-lease-seconds N    how long a dead host's queue messages stay hidden (default: 30)
  --grace-seconds N          how long to wait for running functions after SIGTERM or SIGINT (default: 10)
  --http-timeout-seconds N   after which an HTTP caller gets 504 (default: 230)
  --invocation-log FILE      append one JSON line for each finished invocation
  --quiet                    only the app's own lines, warnings and errors
  --help

Exit codes: 0 stopped by a signal; 1 the app or its settings are at fault, or a function overran functionTimeout.
`;

const values = parseOptions();
if (values.help) process.stdout.write(help);
else await main().catch(fail);

function parseOptions() {
  try {
    return parseArgs({
      options: {
        app: { type: 'string', default: '.' },
        port: { type: 'string', default: '7071' },
        address: { type: 'string', default: '127.0.0.1' },
        settings: { type: 'string' },
        'master-key': { type: 'string' },
        'host-key': { type: 'string' },
        'function-key': { type: 'string', multiple: true, default: [] },
        'queue-lease-seconds': { type: 'string', default: '30' },
        'grace-seconds': { type: 'string', default: '10' },
        'http-timeout-seconds': { type: 'string', default: '230' },
        'invocation-log': { type: 'string' },
        quiet: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    // A mistyped option deserves a sentence, not a stack.
    process.stderr.write(`${error instanceof Error ? error.message : error} See --help.\n`);
    return process.exit(1);
  }
}

async function main(): Promise<void> {
  const keys = {
    master: values['master-key'] ?? randomKey(),
    default: values['host-key'] ?? randomKey(),
    functions: Object.fromEntries(values['function-key'].map(parseFunctionKey)),
  };
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());
  // Started by another program: without it there is nobody left to stop this one.
  process.once('disconnect', () => stopping.abort());
  const host = await runHost({
    appDir: values.app,
    port: seconds('port'),
    address: values.address,
    ...(values.settings === undefined ? {} : { settingsFile: values.settings }),
    keys,
    queueLeaseSeconds: seconds('queue-lease-seconds'),
    graceSeconds: seconds('grace-seconds'),
    httpTimeoutSeconds: seconds('http-timeout-seconds'),
    isQuiet: values.quiet,
    ...(values['invocation-log'] === undefined ? {} : { invocationLog: values['invocation-log'] }),
    takesConsole: true,
    onFunctionTimeout: fail,
  });
  if (process.send !== undefined) process.send({ ready: true, url: host.url, keys });
  else printKeys(keys);
  if (!stopping.signal.aborted) {
    await new Promise((resolve) => stopping.signal.addEventListener('abort', resolve, { once: true }));
  }
  await host.close();
  process.exit(0);
}

function seconds(name: 'port' | 'queue-lease-seconds' | 'grace-seconds' | 'http-timeout-seconds'): number {
  const number = Number(values[name]);
  if (!Number.isInteger(number) || number < 0)
    throw new Error(`--${name} takes a whole number, not "${values[name]}".`);
  return number;
}

function parseFunctionKey(text: string): [string, string] {
  const [, name = '', key = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (key === '') throw new Error('--function-key takes NAME=KEY.');
  return [name, key];
}

function printKeys(keys: { readonly master: string; readonly default: string }): void {
  if (values['master-key'] === undefined) process.stdout.write(`Master key of this run: ${keys.master}\n`);
  if (values['host-key'] === undefined) process.stdout.write(`Host key of this run: ${keys.default}\n`);
}

function fail(error: unknown): never {
  process.stderr.write(`${inspect(error)}\n`);
  process.exit(1);
}
