import { flushCompileCache } from 'node:module';
import { inspect } from 'node:util';
import { readOptions, refuse, wholeNumber } from '../options.ts';
import { randomKey } from './keys.ts';

const help = `Runs a built Azure Functions app on this machine.

  node local/host/main.ts --app DIR [options]

  --app DIR                  folder with package.json and host.json (default: .)
  --port N                   port of the HTTP triggers, 0 for a free one (default: 7071)
  --address A                address to listen on (default: 127.0.0.1)
  --settings FILE            settings, {"Values":{...}}, stronger than local.settings.json, weaker than the environment
  --master-key K             opens everything (default: random, printed once)
  --host-key K               opens all functions (default: random, printed once)
  --function-key NAME/KEY=K  opens the function NAME, under the key's name KEY; may be repeated
  --queue-lease-seconds N    how long a dead host's queue messages stay hidden (default: 600, as in Azure)
  --timer-lock-seconds N     how long a dead host keeps its timers, 15 to 60 (default: 60, as in Azure)
  --timer-poll-seconds N     how often a host looks for timers that have become free (default: 60, as in Azure)
  --grace-seconds N          how long running functions have after SIGTERM or SIGINT until the app's terminate hooks are
                             called (default: 10, as in Azure)
  --http-timeout-seconds N   after which an HTTP caller gets 504 (default: 230)
  --invocation-log FILE      append one JSON line for each finished invocation
  --quiet                    only the app's own lines, warnings and errors
  --help

Exit codes: 0 stopped by a signal; 1 the app or its settings are at fault, or a function overran functionTimeout; 2 wrong
options.
`;

const values = readOptions(help, {
  app: { type: 'string', default: '.' },
  port: { type: 'string', default: '7071' },
  address: { type: 'string', default: '127.0.0.1' },
  settings: { type: 'string' },
  'master-key': { type: 'string' },
  'host-key': { type: 'string' },
  'function-key': { type: 'string', multiple: true, default: [] },
  'queue-lease-seconds': { type: 'string', default: '600' },
  'timer-lock-seconds': { type: 'string', default: '60' },
  'timer-poll-seconds': { type: 'string', default: '60' },
  'grace-seconds': { type: 'string', default: '10' },
  'http-timeout-seconds': { type: 'string', default: '230' },
  'invocation-log': { type: 'string' },
  quiet: { type: 'boolean', default: false },
});

await main().catch(fail);

async function main(): Promise<void> {
  const { runHost } = await import('./run-host.ts');
  const keys = {
    master: values['master-key'] ?? randomKey(),
    default: values['host-key'] ?? randomKey(),
    functions: parseFunctionKeys(values['function-key']),
  };
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());
  // Started by another program: without that one, nothing would stop this process.
  process.once('disconnect', () => stopping.abort());
  const host = await runHost({
    appDir: values.app,
    port: whole('port', 65_535),
    address: values.address,
    ...(values.settings === undefined ? {} : { settingsFile: values.settings }),
    keys,
    queueLeaseSeconds: whole('queue-lease-seconds'),
    timerLockSeconds: whole('timer-lock-seconds', 60),
    timerPollSeconds: whole('timer-poll-seconds'),
    graceSeconds: whole('grace-seconds'),
    httpTimeoutSeconds: whole('http-timeout-seconds'),
    isQuiet: values.quiet,
    ...(values['invocation-log'] === undefined ? {} : { invocationLog: values['invocation-log'] }),
    takesConsole: true,
    onFunctionTimeout: fail,
  });
  if (process.send !== undefined) process.send({ ready: true, url: host.url, keys });
  else printKeys(keys);
  // It may be killed, which would lose what was compiled.
  flushCompileCache();
  if (!stopping.signal.aborted) {
    await new Promise((resolve) => stopping.signal.addEventListener('abort', resolve, { once: true }));
  }
  await host.close();
  process.exit(0);
}

function whole(name: 'port' | (`${string}-seconds` & keyof typeof values), most?: number): number {
  return wholeNumber(help, name, values[name], 0, most);
}

function parseFunctionKeys(texts: readonly string[]): Record<string, Record<string, string>> {
  const keys: Record<string, Record<string, string>> = {};
  for (const text of texts) {
    const [, name = '', keyName = '', key = ''] = /^([^=/]+)\/([^=/]+)=(.+)$/.exec(text) ?? [];
    if (key === '') refuse(help, '--function-key takes NAME/KEY=VALUE.');
    keys[name] = { ...keys[name], [keyName]: key };
  }
  return keys;
}

function printKeys(keys: { readonly master: string; readonly default: string }): void {
  if (values['master-key'] === undefined) process.stdout.write(`Master key of this run: ${keys.master}\n`);
  if (values['host-key'] === undefined) process.stdout.write(`Host key of this run: ${keys.default}\n`);
}

function fail(error: unknown): never {
  process.stderr.write(`${inspect(error)}\n`);
  process.exit(1);
}
