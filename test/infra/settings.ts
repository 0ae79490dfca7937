import { DrError } from '../../src/core/errors.ts';
import { parseConfig } from '../../src/settings/config.ts';
import { settings, storageSetting } from '../../src/settings/settings.ts';
import { type Shape, settingsOf } from './shapes.ts';

/** For the platform: its storage, its telemetry, its Node. */
const platformSettings: ReadonlySet<string> = new Set([
  'AzureWebJobsStorage__credential',
  'AzureWebJobsStorage__clientId',
  'AzureWebJobsStorage__blobServiceUri',
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
  'languageWorkers__node__arguments',
  'MALLOC_ARENA_MAX',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
]);
const storageParts = ['credential', 'clientId', 'blobServiceUri', 'queueServiceUri'];
const ofTheApp: readonly string[] = [
  ...settings.map(({ name }) => name).filter((name) => name !== storageSetting),
  ...storageParts.map((part) => `${storageSetting}__${part}`),
];

/** Every setting is one that the app reads, or the platform; every one that the app reads is there, and can be read. */
export function settingFaults(shape: Shape): readonly string[] {
  return settingsOf(shape).flatMap((given) => {
    const names = Object.keys(given);
    return [
      ...names
        .filter((name) => !ofTheApp.includes(name) && !platformSettings.has(name))
        .map((name) => `the app has no setting ${name}`),
      ...[...ofTheApp, ...platformSettings]
        .filter((name) => !names.includes(name))
        .map((name) => `the setting ${name} is missing`),
      ...Object.entries(given)
        .filter(([, value]) => typeof value !== 'string')
        .map(([name]) => `the setting ${name} is no text`),
      ...parserFaults(shape, given),
    ];
  });
}

function parserFaults(shape: Shape, given: Readonly<Record<string, unknown>>): readonly string[] {
  const env = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, resolved(shape, name, `${value}`)]),
  );
  try {
    const known = 'The scratch hub of DRILL_HUB_NAME counts against the device limit of the namespace it shares.';
    const { ignored, warnings } = parseConfig(env);
    return [...ignored, ...warnings.filter((warning) => warning !== known)];
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    return error.details.map(({ message }) => message);
  }
}

const clientId = '44444444-4444-4444-4444-444444444444';
const account = (service: string): string => `https://account.${service}.core.windows.net/`;
const atRunTime: Readonly<Record<string, string>> = {
  SNAPSHOT_STORAGE__clientId: clientId,
  SNAPSHOT_STORAGE__blobServiceUri: account('blob'),
  SNAPSHOT_STORAGE__queueServiceUri: account('queue'),
  ARM_CLIENT_ID: clientId,
  ARM_ENDPOINT: 'https://management.azure.com/',
};

/** What an expression may be at run time. A secret parameter is empty where the shape does not set it. */
function resolved(shape: Shape, name: string, text: string): string {
  if (!text.startsWith('[')) return text;
  const [, hub, part] = /parameters\('(\w+)'\), '(\w+)'/.exec(text) ?? [];
  if (hub !== 'hubConnections' || part === undefined) return atRunTime[name] ?? '';
  const isGiven = new RegExp(`^param hubConnections = \\{[^}]*\\b${part}:`, 'm').test(shape.source);
  const key = 'SharedAccessKeyName=Policy;SharedAccessKey=bm8ga2V5';
  return isGiven ? `Endpoint=sb://${namespaceOf(shape, part)}.servicebus.windows.net/;${key}` : '';
}

/** That of the hub's resource id, where the shape gives one. */
function namespaceOf({ source }: Shape, hub: string): string {
  return new RegExp(`${hub}: '[^']*/namespaces/([^/']+)/`).exec(source)?.[1] ?? `of-${hub}`;
}
