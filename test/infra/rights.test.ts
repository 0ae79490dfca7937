import { expect, test } from 'vitest';
import type { Arm } from '../../src/azure/arm.ts';
import { listKeys } from '../../src/azure/hub-keys.ts';
import { parseHubResource } from '../../src/azure/hub-resource.ts';
import { readHubMetadata } from '../../src/azure/metadata.ts';
import { credentialAction, customActions } from './roles.ts';

const namespace = '/subscriptions/1/resourceGroups/rg/providers/Microsoft.NotificationHubs/namespaces/push';
const hub = `${namespace}/notificationHubs/app`;

/** The action that a call needs, and the narrowest place where it can be given. */
function rightOf(method: string, path: string): { readonly action: string; readonly at: 'hub' | 'namespace' } {
  const [, , , , , , ...parts] = path.split('/');
  // The provider, then types and names in turn.
  const kind = parts.filter((_part, index) => index === 0 || index % 2 === 1).join('/');
  const action = method === 'GET' ? `${kind}/read` : `${kind}/action`;
  return { action, at: path === hub || path.startsWith(`${hub}/`) ? 'hub' : 'namespace' };
}

test('the two roles of a hub allow what the app asks Azure Resource Manager for, and nothing else', async () => {
  const rights: { readonly action: string; readonly at: 'hub' | 'namespace' }[] = [];
  const arm: Arm = {
    call: async (method, path) => {
      rights.push(rightOf(method, path));
      return { primaryConnectionString: 'text' };
    },
  };
  const resource = parseHubResource(hub);
  if (resource === undefined) throw new Error('no resource id');
  await listKeys(arm, resource);
  await readHubMetadata(arm, resource);
  const needed = (place: string): string[] =>
    rights.flatMap(({ action, at }) => (at === place ? [action.toLowerCase()] : [])).toSorted();
  const given = (place: string, more: readonly string[] = []): string[] =>
    [...(customActions[place] ?? []), ...more].map((action) => action.toLowerCase()).toSorted();
  expect(needed('hub')).toEqual(given('hub', [credentialAction]));
  expect(needed('namespace')).toEqual(given('namespace'));
});
