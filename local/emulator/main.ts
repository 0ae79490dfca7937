import { parseArgs } from 'node:util';
import { freeOr } from './free-port.ts';
import { type Emulator, startEmulator } from './index.ts';

const help = `Two emulated Notification Hubs namespaces, primary and secondary, each with a hub called devices.

  npm run emulator -- [options]

  --port N                    primary's port, secondary takes the next one (default: 8791, or free ones; 0: free ones)
  --admin-port N              (default: 8790, or a free one; 0: a free one)
  --devices N                 devices in the primary (default: 1000)
  --seed N                    seed they are made from (default: 1)
  --devices-limit N           devices each namespace takes (default: 10000000, the Standard tier)
  --latency-ms N              added to every answer (default: 0)
  --installation-delay-ms N   until an installation write takes effect (default: 0)
  --generation 2022|2024      shape of the answers (default: 2022)
  --help
`;

const usualPort = 8791;
const usualAdminPort = 8790;

process.exitCode = await main();

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n\n${help}`);
    return 2;
  }
  if (options === undefined) {
    process.stdout.write(help);
    return 0;
  }
  const ended = endSignal();
  await using emulator = await start(options);
  emulator.hub('primary', 'devices').seed({ devices: options.devices, seed: options.seed });
  process.stdout.write(describe(emulator, options));
  process.send?.(readyMessage(emulator));
  await ended;
  if (process.connected) process.disconnect();
  return 0;
}

interface MainOptions {
  readonly port: number;
  readonly adminPort: number;
  readonly devices: number;
  readonly seed: number;
  readonly tier: number;
  readonly latencyMs: number;
  readonly installationDelayMs: number;
  readonly generation: 2022 | 2024;
}

/** Undefined when help is asked for, a text when an option is wrong. Absent ports are -1. */
function readOptions(args: string[]): MainOptions | string | undefined {
  try {
    const { values } = parseArgs({
      args,
      options: {
        port: { type: 'string', default: '-1' },
        'admin-port': { type: 'string', default: '-1' },
        devices: { type: 'string', default: '1000' },
        seed: { type: 'string', default: '1' },
        'devices-limit': { type: 'string', default: '10000000' },
        'latency-ms': { type: 'string', default: '0' },
        'installation-delay-ms': { type: 'string', default: '0' },
        generation: { type: 'string', default: '2022' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return undefined;
    const generation = values.generation === '2024' ? 2024 : 2022;
    if (values.generation !== String(generation)) return '--generation must be 2022 or 2024.';
    return {
      generation,
      port: whole('port', values.port, -1, 65_534),
      adminPort: whole('admin-port', values['admin-port'], -1, 65_535),
      devices: whole('devices', values.devices),
      seed: whole('seed', values.seed),
      tier: whole('devices-limit', values['devices-limit']),
      latencyMs: whole('latency-ms', values['latency-ms']),
      installationDelayMs: whole('installation-delay-ms', values['installation-delay-ms']),
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function whole(name: string, text: string, least = 0, most = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`--${name} must be a whole number${most === Number.MAX_SAFE_INTEGER ? '' : ` up to ${most}`}.`);
}

async function start(options: MainOptions): Promise<Emulator> {
  const { tier, latencyMs, generation, installationDelayMs } = options;
  const hubs = [{ name: 'devices', switches: { generation, installationDelayMs } }];
  const port = options.port === -1 ? await freeOr(usualPort) : options.port;
  const next = options.port === -1 ? await freeOr(usualPort + 1) : port === 0 ? 0 : port + 1;
  return startEmulator({
    namespaces: [
      { name: 'primary', port, hubs, tier, latencyMs },
      { name: 'secondary', port: next, hubs, tier, latencyMs },
    ],
    adminPort: options.adminPort === -1 ? await freeOr(usualAdminPort) : options.adminPort,
  });
}

/** Ctrl-C, a request to stop, or the end of the process that started this one. */
function endSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    process.once('disconnect', () => resolve());
  });
}

function readyMessage({ adminUrl, namespaces }: Emulator): object {
  const entries = namespaces.map((each) => [each.name, { url: each.url, connectionString: each.connectionString() }]);
  return { ready: true, adminUrl, namespaces: Object.fromEntries(entries) };
}

function describe(emulator: Emulator, { devices, seed }: MainOptions): string {
  const lines = emulator.namespaces.map(
    (each) => `${each.name.padEnd(10)} ${each.url}/devices\n           ${each.connectionString()}`,
  );
  return `${lines.join('\n')}
admin      ${emulator.adminUrl}   (GET it for a list of actions)

The primary holds ${devices} devices made from seed ${seed}. The official SDK needs leave to speak plain HTTP:

  new NotificationHubsClient(connectionString, 'devices', { additionalPolicies: [{ position: 'perCall', policy: {
    name: 'plainHttp',
    sendRequest: (request, next) => { request.allowInsecureConnection = true; return next(request); },
  } }] });

Ctrl-C ends it.
`;
}
