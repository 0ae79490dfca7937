import { type HubResource, parseHubResource } from '../azure/hub-resource.ts';
import { DrError } from '../core/errors.ts';
import {
  type HubConnection,
  type HubIdentity,
  isLoopback,
  parseHubConnection,
} from '../hub/access/connection-string.ts';
import { type SettingsReader, textOf } from './reader.ts';
import type { SettingName } from './settings.ts';

export type HubSetting = 'PRIMARY' | 'SECONDARY' | 'DRILL';

/** A hub as the settings name it: with a key, or with the id by which its keys are asked for, or both. */
export interface NamedHub {
  readonly hub: HubConnection | HubIdentity;
  readonly resource: HubResource | undefined;
}

/** `undefined` where the settings name no hub, or are at fault. */
export function parseHub(settings: SettingsReader, which: HubSetting): NamedHub | undefined {
  const usable = (name: SettingName): string | undefined =>
    settings.faults.some(({ target }) => target === name) ? undefined : textOf(settings.env, name);
  const resource = parseHubResource(usable(`${which}_HUB_RESOURCE_ID`) ?? '');
  const name = usable(`${which}_HUB_NAME`);
  if (resource !== undefined && name !== undefined && !isSameText(name, resource.hub)) {
    settings.fault(`${which}_HUB_NAME`, `is not the hub of ${which}_HUB_RESOURCE_ID: leave it out`);
    return undefined;
  }
  const text = usable(`${which}_HUB_CONNECTION`);
  if (text === undefined) return resource && { hub: identityOf(resource), resource };
  const hub = parseConnection(settings, `${which}_HUB_CONNECTION`, text, name ?? resource?.hub);
  if (hub === undefined) return undefined;
  if (
    resource !== undefined &&
    !isLoopback(hub.endpoint.hostname) &&
    !isSameText(hub.ref.namespace, resource.namespace)
  ) {
    settings.fault(`${which}_HUB_CONNECTION`, `is of another namespace than ${which}_HUB_RESOURCE_ID`);
    return undefined;
  }
  return { hub, resource };
}

export function isSameHub({ hub: a }: NamedHub, { hub: b }: NamedHub): boolean {
  return isSameNamespace(a, b) && a.ref.hub === b.ref.hub;
}

/** By address where both are known: two hosts may have the same first label. */
export function isSameNamespace(a: NamedHub['hub'], b: NamedHub['hub']): boolean {
  return 'endpoint' in a && 'endpoint' in b ? a.endpoint.host === b.endpoint.host : a.ref.namespace === b.ref.namespace;
}

function identityOf({ namespace, hub }: HubResource): HubIdentity {
  const ref = Object.freeze({ namespace: namespace.toLowerCase(), hub: hub.toLowerCase() });
  return Object.freeze({ hubName: hub, ref });
}

function parseConnection(
  settings: SettingsReader,
  setting: SettingName,
  text: string,
  hub: string | undefined,
): HubConnection | undefined {
  try {
    // Without a hub name everything but the name can still be checked.
    const connection =
      hub === undefined
        ? parseHubConnection(text.replace(/(^|;)\s*EntityPath\s*=[^;]*/i, ''), 'unnamed', setting)
        : parseHubConnection(text, hub, setting);
    if (/^DefaultListenSharedAccessSignature$/i.test(connection.keyName)) {
      settings.warn(`${setting} uses a policy that may only listen; the listing of a hub needs Manage.`);
    }
    return hub === undefined ? undefined : Object.freeze(connection);
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    settings.fault(setting, error.message.replace(`${setting}: `, '').replace(/\.$/, ''));
    return undefined;
  }
}

function isSameText(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
