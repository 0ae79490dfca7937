import { z } from 'zod';
import { hubResourceForm, parseHubResource } from '../azure/hub-resource.ts';
import { type Tier, tiers } from '../core/readiness/tiers.ts';
import { isReference, unresolved } from './reader.ts';
import { plainSchedule, scheduleFault } from './schedule.ts';

/** The forms a setting's text can have. A message ends the sentence that the setting's name begins. */

export const hubConnection = required(
  'the connection string of a hub or its namespace',
  undefined,
  ', or set the resource id of the hub instead',
);

export const hubResourceId = textWith((text) => {
  if (isReference(text)) return unresolved;
  return parseHubResource(text) === undefined ? `must be the resource id of a hub, ${hubResourceForm}` : undefined;
}).optional();

/** Plain `http` is for emulators on this machine: elsewhere a token would travel in clear. */
export const armEndpoint = textWith((text) =>
  isArmEndpoint(text) ? undefined : 'must be the https address of Azure Resource Manager in your cloud, without path',
);

export const clientId = textWith((text) =>
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
    ? undefined
    : 'must be the client id of an identity, a GUID',
).optional();

/** Microsoft.NotificationHubs, "Naming rules and restrictions for Azure resources". */
export const hubName = required(
  'the name of the hub: letters, digits, periods, hyphens and underscores',
  /^[A-Za-z0-9][\w.-]{0,259}$/,
);

/** Containers and queues: learn.microsoft.com, "Naming and referencing containers" and "Naming queues and metadata". */
export const storageName = required(
  '3 to 63 lower-case letters, digits and single hyphens between them',
  /^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/,
);

/** Of a queue with a longer name the host makes no poison queue: a message that fails is hidden for ten minutes, for ever. */
export const queueName = required(
  '3 to 56 lower-case letters, digits and single hyphens between them',
  /^(?=.{3,56}$)[a-z0-9]+(-[a-z0-9]+)*$/,
);

/** Any text without a fault, read as the host is to read it. */
const plainly = textWith(scheduleFault).transform(plainSchedule);

export const schedule = (preset: string) => plainly.prefault(preset);

const whole = (least: number, most: number) =>
  textWith((text) =>
    /^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most
      ? undefined
      : `must be a whole number from ${least} to ${most}${shown(text)}`,
  );

export const count = (least: number, most: number, preset: number) =>
  whole(least, most).prefault(`${preset}`).transform(Number);

/** In minutes, up to a year. */
export const objective = whole(1, 525_600).transform(Number).optional();

export const requestRate = whole(1, 100_000).transform(Number).optional();

export const tier = textWith((text) =>
  tierOf(text) === undefined ? `must be ${tiers.join(', ')} or absent${shown(text)}` : undefined,
)
  .transform(tierOf)
  .optional();

export const standbySync = textWith((text) =>
  text === 'off' || text === 'afterBackup' ? undefined : `must be off or afterBackup${shown(text)}`,
)
  .prefault('off')
  .transform((text): 'off' | 'afterBackup' => (text === 'afterBackup' ? text : 'off'));

export const backupSource = textWith((text) =>
  /^(?:list|export|auto)$/.test(text) ? undefined : `must be list, export or auto${shown(text)}`,
)
  .prefault('list')
  .transform((text): 'list' | 'export' | 'auto' => (text === 'export' || text === 'auto' ? text : 'list'));

export const restoreWriter = textWith((text) =>
  /^(?:direct|import|auto)$/.test(text) ? undefined : `must be direct, import or auto${shown(text)}`,
)
  .prefault('direct')
  .transform((text): 'direct' | 'import' | 'auto' => (text === 'import' || text === 'auto' ? text : 'direct'));

export const feedbackCleanup = textWith((text) =>
  /^(?:off|preview|on)$/.test(text) ? undefined : `must be off, preview or on${shown(text)}`,
)
  .prefault('off')
  .transform((text): 'off' | 'preview' | 'on' => (text === 'preview' || text === 'on' ? text : 'off'));

/** Its text is never quoted: such addresses hold keys. */
export const address = textWith((text) => {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return undefined;
  return isReference(text) ? unresolved : 'must be an http or https address';
}).optional();

function isArmEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, search, hash, username } = new URL(text);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && /^(localhost|127\.\d+\.\d+\.\d+)$/.test(hostname));
  return isSafe && pathname === '/' && search + hash + username === '';
}

function required(form: string, pattern?: RegExp, alternative = '') {
  return textWith((text) => {
    if (isReference(text)) return unresolved;
    return pattern === undefined || pattern.test(text) ? undefined : `must be ${form}${shown(text)}`;
  }, `is missing: set it to ${form}${alternative}`);
}

/** `faultOf` says what is wrong with a text, if anything. */
function textWith(faultOf: (text: string) => string | undefined, missing?: string) {
  return z
    .string(missing)
    .refine((text) => faultOf(text) === undefined, { error: ({ input }) => faultOf(String(input)) });
}

function tierOf(text: string): Tier | undefined {
  return tiers.find((name) => name.toLowerCase() === text.toLowerCase());
}

/** Nothing long or with an equals sign: a key or connection string may have been put into the wrong setting. */
function shown(text: string): string {
  return /^[\w .,:*/+-]{1,24}$/.test(text) ? `, not '${text}'` : '';
}
