import { hash53 } from '../core/bytes/hash.ts';
import type { QueueName } from '../core/ports.ts';
import type { NamedHub } from './hubs.ts';

/**
 * The names of the step queues. They carry the pair of hubs, in whichever roles, so that apps on one storage account do
 * not take each other's messages. Without a pair the settings are at fault, and nothing is ever sent.
 */
export function queueNames(
  setting: string,
  pair: readonly (NamedHub['hub'] | undefined)[],
): Readonly<Record<QueueName, string>> {
  const hubs = pair.map((hub) => (hub === undefined ? '' : `${placeOf(hub)}/${hub.hubName}`.toLowerCase()));
  const digits = hash53([setting, ...hubs.sort()].join(' '))
    .toString(16)
    .padStart(14, '0')
    .slice(-PAIR_DIGITS);
  const nameOf = (lane: string): string => {
    const most = MAX_NAME_LENGTH - `-${lane}-${digits}`.length;
    return `${setting.slice(0, most).replace(/-$/, '')}-${lane}-${digits}`;
  };
  return Object.freeze({
    restores: nameOf('restores'),
    backups: nameOf('backups'),
    rest: nameOf('rest'),
    writes: nameOf('writes'),
    former: setting,
  });
}

/** The address of a hub that is known by its resource id alone is not known while the functions are loaded. */
function placeOf(hub: NamedHub['hub']): string {
  return 'endpoint' in hub ? hub.endpoint.host : hub.ref.namespace;
}

/** Of two pairs in one account, one in four billion has the queues of the other. */
const PAIR_DIGITS = 8;

/** With a longer name the host has no poison queue, and a message that fails comes again for ever. */
const MAX_NAME_LENGTH = 56;
