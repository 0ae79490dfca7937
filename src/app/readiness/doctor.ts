import { DrError } from '../../core/errors.ts';
import { doctorName, fullNameOf } from '../../core/paths.ts';
import type { Hub, Lane } from '../../core/ports.ts';
import { type HubMetadata, isSameRegion, withoutCredential } from '../../core/readiness/metadata.ts';
import {
  bad,
  type Check,
  CREDENTIAL_ROLE_COMMAND,
  credentialCommand,
  good,
  replicationCommand,
  roleCommand,
  settingCommand,
  unknown,
} from '../../core/readiness/platform.ts';
import { exportContainer } from '../../core/snapshot/export-job.ts';
import { counted } from '../../core/words.ts';
import { type App, toInstant } from '../app.ts';
import { type Roles, readRoles } from '../runs/roles.ts';
import { searchLatest } from '../snapshots/store.ts';
import { toBytes } from '../stored/codec.ts';
import { findMetadata } from './metadata.ts';

/** A hub that does not answer is known by then. */
const PATIENCE_MS = 5000;
/** Of an address that is signed to see whether it can be, and whose container is removed at once. */
const GRANT_MS = 60_000;
/** Storage says its time in whole seconds. */
const SAME_CLOCK_MS = 2000;

/**
 * Proves one by one what a deployment needs: rights and reach, each good or with the command that puts it right. Writes
 * one small blob and removes it again, and a container where bulk jobs may be used; a hub mints an id that is
 * not used.
 */
export async function examine(app: App) {
  app.memory.metadata.clear();
  const [storage, queues, jobFiles, ...hubs] = await Promise.all([
    checkStorage(app),
    checkQueues(app),
    checkJobFiles(app),
    checkHub(app, 'primary', app.primary),
    checkHub(app, 'secondary', app.secondary),
    ...(app.drillHub === undefined ? [] : [checkHub(app, 'drill', app.drillHub)]),
  ]);
  const ofHubs = await orUnknown('resourceManager', () => checkMetadata(app));
  const checks = [storage, queues, ...jobFiles, ...hubs, ...ofHubs, ...checkPlatform(app), ...checkSettings(app)];
  return {
    checkedAt: toInstant(app.world.storageNow()),
    isWell: checks.every(({ state }) => state !== 'bad'),
    checks,
  };
}

async function checkStorage({ blobs, world }: App): Promise<Check> {
  const name = doctorName(world.newSuffix());
  const fix = roleCommand('Storage Blob Data Contributor', '<id of the storage account>');
  return judged('storage', fix, async () => {
    await blobs.ensure();
    await blobs.put(name, toBytes('doctor'), 'any');
    await blobs.put(name, toBytes('doctor again'), 'any');
    const isThere = (await blobs.get(name)) !== undefined;
    await blobs.remove(name);
    if (!isThere) return bad('storage', 'A blob that was written cannot be read.');
    return good('storage', 'A blob was written, changed, read and removed.');
  });
}

async function checkQueues({ queue }: App): Promise<Check> {
  const lanes: readonly Lane[] = ['restores', 'backups', 'rest', 'writes'];
  const fix = roleCommand('Storage Queue Data Contributor', '<id of the storage account>');
  return judged('queues', fix, async () => {
    await Promise.all(lanes.map((lane) => queue.peek(lane)));
    return good('queues', 'The queues of steps can be looked into.');
  });
}

/** Whether a job can be given a container and its address. That the hub's service accepts it, its first backup shows. */
async function checkJobFiles({ exports, imports, policy, world }: App): Promise<readonly Check[]> {
  const { files } = exports ?? (isImporting(policy) ? imports : undefined) ?? {};
  if (files === undefined) return [];
  const container = exportContainer(`doctor-${world.newSuffix()}`);
  const fix = roleCommand('Storage Blob Data Contributor', '<id of the storage account>');
  // Its name is in what users have set up.
  const check = judged('exports', fix, async () => {
    await files.open(container, GRANT_MS);
    await files.remove(container);
    return good('exports', 'A container for a bulk job was made, its address signed, and removed.');
  });
  return [await check];
}

function isImporting({ restoreWriter = 'direct' }: App['policy']): boolean {
  return restoreWriter !== 'direct';
}

/** Reach, rights and tier. */
async function checkHub({ world, platform }: App, which: 'primary' | 'secondary' | 'drill', hub: Hub): Promise<Check> {
  const name = `hub ${which}`;
  const setting = `${which.toUpperCase()}_HUB_RESOURCE_ID=<resource id of the hub>`;
  return judged(name, settingCommand(platform, setting), async () => {
    const { tier, latencyMs } = await hub.probe({ deadlineAt: world.now() + PATIENCE_MS });
    const known = tier === 'unknown' ? '' : `, tier ${tier === 'BasicOrFree' ? 'Basic or Free' : tier}`;
    return good(name, `${fullNameOf(hub.ref)} lists and takes writes${known}; answered within ${latencyMs} ms.`);
  });
}

async function checkMetadata(app: App): Promise<readonly Check[]> {
  const roles = await readRoles(app);
  const [ofPrimary, ofSecondary] = await Promise.all([
    findMetadata(app, app.primary),
    findMetadata(app, app.secondary),
  ]);
  const [ofActive, ofStandby] = roles.active === app.primary ? [ofPrimary, ofSecondary] : [ofSecondary, ofPrimary];
  return [
    ...checkManager(app, app.primary, ofPrimary),
    ...checkManager(app, app.secondary, ofSecondary),
    checkRegion(app, ofActive, ofStandby),
    ...checkReplication(roles, ofActive),
    ...(await checkCredentials(app, roles, ofStandby)),
  ];
}

function checkManager({ platform, primary }: App, hub: Hub, metadata: HubMetadata | undefined): readonly Check[] {
  const name = `resourceManager ${hub === primary ? 'primary' : 'secondary'}`;
  const setting = `${hub === primary ? 'PRIMARY' : 'SECONDARY'}_HUB_RESOURCE_ID=<resource id of the hub>`;
  if (metadata === undefined) {
    return [unknown(name, 'The settings have no resource id of this hub.', settingCommand(platform, setting))];
  }
  const { tier, location, faults } = metadata;
  const role = roleCommand('<the role that infra/ makes, or Reader>', '<id of the namespace>');
  if (location === undefined) return [bad(name, faults.join(' '), role)];
  // Push credentials have a line of their own.
  const others = faults.filter((fault) => !fault.includes('push credentials'));
  if (others.length > 0) return [unknown(name, others.join(' '), role)];
  return [good(name, `Namespace ${hub.ref.namespace} is in ${location}, tier ${tier ?? 'unknown'}.`)];
}

/** What takes the hub in use away must not take the app. */
function checkRegion({ platform }: App, active: HubMetadata | undefined, standby: HubMetadata | undefined): Check {
  const { region } = platform;
  if (isSameRegion(active?.location, standby?.location)) {
    return bad('region', `Both hubs are in ${active?.location}: make the secondary in another region.`);
  }
  if (region === undefined || active?.location === undefined) {
    return unknown('region', 'Which regions the app and the hubs are in is not known.');
  }
  if (!isSameRegion(region, active.location)) {
    return good('region', `The app is in ${region}, the hub in use in ${active.location}.`);
  }
  const message = `The app is in ${region}, as the hub in use is: what takes that away takes both.`;
  return bad('region', message, `azd env set AZURE_LOCATION <region of the standby> && azd up`);
}

/** The app brings back devices; of a namespace's own settings the service may keep a copy. Going without can be a choice. */
function checkReplication({ active }: Roles, metadata: HubMetadata | undefined): readonly Check[] {
  const name = 'replication';
  const { replicationRegion: region } = metadata ?? {};
  if (region === undefined) return [];
  const { namespace } = active.ref;
  if (region !== 'None') {
    const where = region === 'Default' ? 'the paired region' : region;
    return [good(name, `The service copies the settings of namespace ${namespace} to ${where}.`)];
  }
  const message = `The settings of namespace ${namespace} are lost with its region: the service copies them nowhere.`;
  return [unknown(name, message, replicationCommand(namespace))];
}

async function checkCredentials(
  app: App,
  { active, standby }: Roles,
  metadata: HubMetadata | undefined,
): Promise<readonly Check[]> {
  const name = 'pushCredentials';
  if (metadata?.pushCredentials === undefined) {
    const message = `Whether ${fullNameOf(standby.ref)} has push credentials is not known: only a role that reads them in clear tells it.`;
    return [unknown(name, message, CREDENTIAL_ROLE_COMMAND)];
  }
  const { manifest } = await searchLatest(app, active.ref);
  if (manifest === undefined) {
    return [
      unknown(name, 'There is no good snapshot to say which platforms are needed.', 'notification-hubs-dr backup'),
    ];
  }
  const missing = withoutCredential(manifest.counts.byPlatform, metadata);
  if (missing.length === 0) return [good(name, `The standby has one for each platform of snapshot ${manifest.id}.`)];
  return missing.map(({ platform, registrations }) =>
    bad(
      `${name} ${platform}`,
      `The standby has none for ${platform}, of which the snapshot holds ${counted(registrations, 'registration')}.`,
      credentialCommand(platform, standby.ref),
    ),
  );
}

function checkPlatform({ platform, policy, world }: App): readonly Check[] {
  const aheadMs = Math.abs(world.storageNow() - world.now());
  const { nodeVersion, heapLimitMegabytes, missingArguments } = platform;
  const heap = `Node may use ${heapLimitMegabytes} MB`;
  return [
    aheadMs > SAME_CLOCK_MS
      ? unknown('clock', `The clock of this host is ${Math.round(aheadMs / 1000)} s off the storage's, which counts.`)
      : good('clock', "The clock of this host agrees with the storage's."),
    good('versions', `notification-hubs-dr ${policy.toolVersion} on Node ${nodeVersion}.`),
    missingArguments.length === 0
      ? good('memory', `${heap}.`)
      : bad('memory', `${heap}: it was not started with ${missingArguments.join(' ')}, as the settings want.`),
  ];
}

function checkSettings({ notifier, platform, policy }: App): readonly Check[] {
  const ignored = policy.ignoredSettings.map((sentence) => bad('settings', sentence));
  const set = (setting: string) => settingCommand(platform, `${setting}=<address>`);
  return [
    ...(ignored.length === 0 ? [good('settings', 'All can be used.')] : ignored),
    notifier.hasWebhook
      ? good('alerts', 'Alerts are sent to a webhook. Try it: notification-hubs-dr test-alert')
      : bad('alerts', 'No alert is sent.', set('ALERT_WEBHOOK_URL')),
    notifier.hasHeartbeat
      ? good('heartbeat', 'Each good backup calls the heartbeat.')
      : unknown('heartbeat', 'No heartbeat is set: a silence of the whole app raises no alarm.', set('HEARTBEAT_URL')),
  ];
}

/** What is thrown is the check's message; it passes by itself where it is retryable, and has no command then. */
async function judged(name: string, fix: string, check: () => Promise<Check>): Promise<Check> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    // Rights would not help against a rule of the storage.
    const isRule = error.seen?.startsWith('BlobImmutable') === true;
    return bad(name, `${error.code}: ${error.message}`, error.retryable || isRule ? undefined : fix);
  }
}

async function orUnknown(name: string, checks: () => Promise<readonly Check[]>): Promise<readonly Check[]> {
  try {
    return await checks();
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    return [unknown(name, `${error.code}: ${error.message}`)];
  }
}
