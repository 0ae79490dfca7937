import { DrError } from '../core/errors.ts';
import type { Arm } from './arm.ts';
import { textIn } from './fields.ts';
import type { HubResource } from './hub-resource.ts';

/** The connection strings of the hub's policy, the primary one first. Throws a `DrError`. */
export async function listKeys(arm: Arm, { namespace, hub, policyId }: HubResource): Promise<readonly string[]> {
  const what = `the keys of hub ${namespace}/${hub}`;
  const answer = await arm.call('POST', `${policyId}/listKeys`, what);
  const found = ['primaryConnectionString', 'secondaryConnectionString'].map((name) => textIn(answer, name));
  const keys = found.filter((text) => text !== undefined);
  if (keys.length > 0) return keys;
  throw new DrError('HubMisbehaves', `Azure Resource Manager answered without ${what}. Check ARM_ENDPOINT.`, {
    target: what,
    hasNoEffect: true,
  });
}
