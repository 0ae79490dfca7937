import { DrError } from '../../core/errors.ts';
import { partsOf } from '../../core/parse.ts';
import type { HubRef } from '../../core/ports.ts';

/** Which hub it is. Its address and keys are known only when asked for. */
export interface HubIdentity {
  readonly hubName: string;
  readonly ref: HubRef;
}

/** A hub's address and the access policy used for it. */
export interface HubConnection extends HubIdentity {
  /** Root of the namespace, ending in a slash. */
  readonly endpoint: URL;
  readonly keyName: string;
  readonly key: string;
}

/**
 * Reads `Endpoint=sb://…/;SharedAccessKeyName=…;SharedAccessKey=…[;EntityPath=hub]`. Plain `http` is for loopback only:
 * elsewhere the key's signature would travel in clear. Throws `SettingsInvalid` without quoting the key.
 */
export function parseHubConnection(connectionString: string, hubName: string, setting: string): HubConnection {
  const fail = (what: string) =>
    new DrError('SettingsInvalid', `${setting}: ${what}. Copy the connection string of the namespace or hub again.`, {
      target: setting,
    });
  const parts = partsOf(connectionString);
  if (parts === undefined) throw fail('a part of it is not of the form Name=Value');
  const keyName = parts.get('sharedaccesskeyname');
  const key = parts.get('sharedaccesskey');
  const entityPath = parts.get('entitypath');
  if (!keyName || !key) throw fail('SharedAccessKeyName and SharedAccessKey are needed');
  if (entityPath !== undefined && entityPath.toLowerCase() !== hubName.toLowerCase()) {
    throw fail(`its EntityPath is '${entityPath}', but the hub is named '${hubName}'`);
  }
  const endpoint = readEndpoint(parts.get('endpoint'), fail);
  const namespace = isLoopback(endpoint.hostname)
    ? `${endpoint.hostname.replace(/[[\]:]/g, '')}-${endpoint.port || '80'}`
    : (endpoint.hostname.split('.')[0] ?? endpoint.hostname);
  return { endpoint, keyName, key, hubName, ref: { namespace: namespace.toLowerCase(), hub: hubName.toLowerCase() } };
}

function readEndpoint(text: string | undefined, fail: (what: string) => DrError): URL {
  if (!text) throw fail('Endpoint is needed');
  const address = text.replace(/^sb:/i, 'https:');
  if (!URL.canParse(address)) throw fail('its Endpoint is not an address');
  const endpoint = new URL(address);
  if (endpoint.protocol === 'http:' && !isLoopback(endpoint.hostname)) {
    throw fail('its Endpoint is plain http, which is accepted for 127.0.0.1 only');
  }
  if (endpoint.protocol !== 'https:' && endpoint.protocol !== 'http:') throw fail('its Endpoint must begin with sb://');
  return new URL('/', endpoint);
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
