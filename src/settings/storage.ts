import type { StorageConnection } from '../azure/connection.ts';
import { partsOf } from '../core/parse.ts';
import { type Environment, isReference, type SettingsReader, textOf, unresolved } from './reader.ts';
import { storageSetting } from './settings.ts';

/**
 * The storage connection by the convention of the Functions storage extension, which reads the same settings for the
 * queue trigger (Azure/azure-sdk-for-net, `StorageClientProvider` and `WebJobsConfigurationExtensions`, read 2026-11):
 * the name with `AzureWebJobs` before it comes first, then the bare one; a connection string wins over its parts; part
 * names are read in any case. Where the extension's versions differ (account name against URIs), only agreement is
 * accepted.
 */
export function parseStorageSettings(settings: SettingsReader): StorageConnection | undefined {
  const prefixes = [`AzureWebJobs${storageSetting}`, storageSetting];
  const given = prefixes.map((prefix) => readGroup(settings.env, prefix)).filter((group) => group !== undefined);
  const [used, ignored] = given;
  if (used === undefined) {
    settings.fault(storageSetting, `is missing: set it to ${accepted}`);
    return undefined;
  }
  if (ignored !== undefined) settings.warn(`${ignored.prefix} is not used, because ${used.prefix} is set, too.`);
  const { prefix, connectionString, parts } = used;
  for (const part of parts.keys()) {
    if (!knownParts.has(part)) settings.warn(`${prefix}__${part} is not a setting of the storage connection.`);
  }
  if (connectionString === undefined) return parseIdentity(settings, prefix, parts);
  if (parts.has('blobserviceuri') || parts.has('queueserviceuri') || parts.has('accountname')) {
    settings.warn(`${prefix} is a connection string, so ${prefix}__… are not used.`);
  }
  const wrong = connectionStringFault(connectionString);
  if (wrong === undefined) return Object.freeze({ kind: 'connectionString', value: connectionString });
  settings.fault(prefix, wrong);
  return undefined;
}

const accepted =
  'a storage connection string, or set ' +
  `${storageSetting}__blobServiceUri and ${storageSetting}__queueServiceUri for an identity`;

const knownParts: ReadonlySet<string> = new Set([
  'blobserviceuri',
  'queueserviceuri',
  'tableserviceuri',
  'accountname',
  'clientid',
  'credential',
]);

interface Group {
  readonly prefix: string;
  readonly connectionString: string | undefined;
  /** By lower-case name. */
  readonly parts: ReadonlyMap<string, string>;
}

function readGroup(env: Environment, prefix: string): Group | undefined {
  const connectionString = textOf(env, prefix);
  const parts = new Map<string, string>();
  const start = `${prefix}__`;
  for (const name of Object.keys(env)) {
    const text = name.startsWith(start) ? textOf(env, name) : undefined;
    if (text !== undefined) parts.set(name.slice(start.length).toLowerCase(), text);
  }
  return connectionString === undefined && parts.size === 0 ? undefined : { prefix, connectionString, parts };
}

/** Enough to notice a slip; the SDK reads the connection string in full. */
function connectionStringFault(text: string): string | undefined {
  if (isReference(text)) return unresolved;
  const names = partsOf(text);
  if (names === undefined) return `has a part that is not Name=Value: set it to ${accepted}`;
  const has = (...wanted: readonly string[]): boolean => wanted.every((name) => names.get(name));
  if (names.get('usedevelopmentstorage')?.toLowerCase() === 'true') return undefined;
  if (has('accountname', 'accountkey')) return undefined;
  if (!has('sharedaccesssignature')) return `needs AccountName and AccountKey: set it to ${accepted}`;
  return has('blobendpoint', 'queueendpoint')
    ? undefined
    : 'needs BlobEndpoint and QueueEndpoint beside its SharedAccessSignature, and a SAS for both services';
}

function parseIdentity(
  settings: SettingsReader,
  prefix: string,
  parts: ReadonlyMap<string, string>,
): StorageConnection | undefined {
  const credential = parts.get('credential');
  const isCredentialKnown = credential === undefined || credential.toLowerCase() === 'managedidentity';
  if (!isCredentialKnown) settings.fault(`${prefix}__credential`, 'must be managedidentity or absent');
  const blobServiceUri = serviceUri(settings, prefix, parts, 'blob');
  const queueServiceUri = serviceUri(settings, prefix, parts, 'queue');
  const clientId = parts.get('clientid');
  if (blobServiceUri === undefined || queueServiceUri === undefined || !isCredentialKnown) return undefined;
  return Object.freeze({
    kind: 'identity',
    blobServiceUri,
    queueServiceUri,
    ...(clientId === undefined ? {} : { clientId }),
  });
}

function serviceUri(
  settings: SettingsReader,
  prefix: string,
  parts: ReadonlyMap<string, string>,
  service: 'blob' | 'queue',
): string | undefined {
  const name = `${prefix}__${service}ServiceUri`;
  const account = parts.get('accountname');
  const uri = parts.get(`${service}serviceuri`);
  const ofAccount = account === undefined ? undefined : `https://${account}.${service}.core.windows.net`;
  if (uri === undefined && ofAccount === undefined) {
    settings.fault(name, `is missing: set it to https://<account>.${service}.core.windows.net`);
    return undefined;
  }
  if (uri === undefined && account !== undefined && !/^[a-z0-9]{3,24}$/.test(account)) {
    // Once for both services.
    if (service === 'blob') settings.fault(`${prefix}__accountName`, 'must be 3 to 24 lower-case letters and digits');
    return undefined;
  }
  const root = (uri ?? ofAccount ?? '').replace(/\/+$/, '');
  if (!URL.canParse(root) || new URL(root).origin !== root.toLowerCase() || !root.toLowerCase().startsWith('https:')) {
    settings.fault(name, `must be https://<account>.${service}.core.windows.net, without path or SAS`);
    return undefined;
  }
  if (ofAccount !== undefined && root !== ofAccount) {
    settings.fault(name, `and ${prefix}__accountName name different accounts: set one of them`);
    return undefined;
  }
  return root;
}
