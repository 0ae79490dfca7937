import type { Certificate } from '../certificate.ts';
import { readOptions, refuse, wholeNumber } from '../options.ts';
import type { Emulator } from './index.ts';

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
  --tls                       HTTPS with a certificate made at the start, over HTTP/2 or HTTP/1.1
  --help
`;

const usualPort = 8791;
const usualAdminPort = 8790;

const values = readOptions(help, {
  port: { type: 'string' },
  'admin-port': { type: 'string' },
  devices: { type: 'string', default: '1000' },
  seed: { type: 'string', default: '1' },
  'devices-limit': { type: 'string', default: '10000000' },
  'latency-ms': { type: 'string', default: '0' },
  'installation-delay-ms': { type: 'string', default: '0' },
  generation: { type: 'string', default: '2022' },
  tls: { type: 'boolean', default: false },
});

const generation = values.generation === '2024' ? 2024 : 2022;
if (values.generation !== String(generation)) refuse(help, '--generation must be 2022 or 2024.');
const options = {
  generation,
  port: values.port === undefined ? undefined : wholeNumber(help, 'port', values.port, 0, 65_534),
  adminPort:
    values['admin-port'] === undefined ? undefined : wholeNumber(help, 'admin-port', values['admin-port'], 0, 65_535),
  devices: whole('devices'),
  seed: whole('seed'),
  tier: whole('devices-limit'),
  latencyMs: whole('latency-ms'),
  installationDelayMs: whole('installation-delay-ms'),
} as const;

const plainHttp = ` The official SDK has to be allowed plain HTTP:

  new NotificationHubsClient(connectionString, 'devices', { additionalPolicies: [{ position: 'perCall', policy: {
    name: 'plainHttp',
    sendRequest: (request, next) => { request.allowInsecureConnection = true; return next(request); },
  } }] });
`;

const overTls = ({ cert }: Certificate): string => ` Its certificate, for NODE_EXTRA_CA_CERTS:

${cert}`;

await main();

async function main(): Promise<void> {
  const ended = endSignal();
  const certificate = values.tls ? await (await import('../certificate.ts')).makeCertificate() : undefined;
  await using emulator = await start(certificate);
  emulator.hub('primary', 'devices').seed({ devices: options.devices, seed: options.seed });
  process.stdout.write(describe(emulator, certificate));
  process.send?.({ ...readyMessage(emulator), certificate: certificate?.cert });
  await ended;
  if (process.connected) process.disconnect();
}

function whole(name: 'devices' | 'seed' | 'devices-limit' | 'latency-ms' | 'installation-delay-ms'): number {
  return wholeNumber(help, name, values[name]);
}

async function start(tls: Certificate | undefined): Promise<Emulator> {
  const { freeOr } = await import('./free-port.ts');
  const { startEmulator } = await import('./index.ts');
  const { tier, latencyMs, installationDelayMs } = options;
  const hubs = [{ name: 'devices', switches: { generation: options.generation, installationDelayMs } }];
  const port = options.port ?? (await freeOr(usualPort));
  const next = options.port === undefined ? await freeOr(usualPort + 1) : port === 0 ? 0 : port + 1;
  return startEmulator({
    namespaces: [
      { name: 'primary', port, hubs, tier, latencyMs, tls },
      { name: 'secondary', port: next, hubs, tier, latencyMs, tls },
    ],
    adminPort: options.adminPort ?? (await freeOr(usualAdminPort)),
  });
}

/** Ctrl-C, a request to stop, or the end of the process that started this one. */
function endSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    process.once('disconnect', () => resolve());
  });
}

function readyMessage({ adminUrl, namespaces, arm }: Emulator): object {
  const entries = namespaces.map((each) => [each.name, { url: each.url, connectionString: each.connectionString() }]);
  return { ready: true, adminUrl, arm: arm.settings, namespaces: Object.fromEntries(entries) };
}

function describe(emulator: Emulator, certificate: Certificate | undefined): string {
  const { devices, seed } = options;
  const lines = emulator.namespaces.map(
    (each) => `${each.name.padEnd(10)} ${each.url}/devices\n           ${each.connectionString()}`,
  );
  return `${lines.join('\n')}
arm        ${emulator.arm.settings.ARM_ENDPOINT}   (tokens of the identity below /msi/token)
admin      ${emulator.adminUrl}   (GET it for a list of actions)

The primary holds ${devices} devices made from seed ${seed}.${certificate === undefined ? plainHttp : overTls(certificate)}
Ctrl-C ends it.
`;
}
