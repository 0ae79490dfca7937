import {
  type Installation,
  type JsonPatch,
  type Notification,
  NotificationHubsClient,
  type RegistrationDescription,
  type SendNotificationOptions,
} from '@azure/notification-hubs';
import { pairBlobs } from '../app/stored/pair-blobs.ts';
import { storageLimits } from '../azure/connection.ts';
import { containerBlobs } from '../azure/container-blobs.ts';
import { fullNameOf, isSameHub } from '../core/paths.ts';
import { parseHubConnection } from '../hub/access/connection-string.ts';
import { createHub, type HubClient } from '../hub/client.ts';
import { Limiter } from '../hub/pace/limiter.ts';
import { plainHttp } from '../hub/plain-http.ts';
import { noteStorageTime, realWorld } from '../world.ts';
import { backfill } from './backfill.ts';
import { RedundantHubError } from './error.ts';
import { readLag } from './lag.ts';
import type { Backfilled, HubOptions, Lag, RedundantHubOptions, Roles, Written } from './options.ts';
import { PairWrites } from './pair-writes.ts';
import { toXml } from './registration-xml.ts';

export { RedundantHubError } from './error.ts';
export type { Backfilled, HubOptions, Lag, RedundantHubOptions, Roles, Written } from './options.ts';

const WAIT_FOR_OTHER_MS = 250;
/** A hub that is silent for this long does not answer: the longest a call may be on its way follows from it. */
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CONCURRENCY = 64;
/** A device waits for the storage, so that a try is short. */
const LIMITS = {
  ...storageLimits,
  retry: { maxTries: 3, retryDelayInMs: 100, maxRetryDelayInMs: 1_000, tryTimeoutInMs: 5_000 },
  callTimeoutMs: 10_000,
};

/**
 * Two hubs that are to hold the same devices. A write is intended in the app's storage, then made in both hubs; it
 * succeeds when the hub in use has taken it, and the other hub is brought to it however long that takes: by this process,
 * or by the app. The newest write of a device wins in both hubs, whichever process it came from. Reads and sends go to the
 * hub in use, which is what the app's stored role says: a failover there is one here, within 10 seconds.
 */
export class RedundantHub {
  readonly #hubs: readonly [HubClient, HubClient];
  readonly #clients: ReadonlyMap<string, NotificationHubsClient>;
  readonly #parts;
  readonly #pair: PairWrites;

  /** Throws `RedundantHubError` `BadRequest` when both are one hub or a connection string is wrong. */
  constructor(options: RedundantHubOptions) {
    const { primary, secondary, container, waitForOtherMs = WAIT_FOR_OTHER_MS, onWarning = () => {} } = options;
    const [first, second] = [openHub(primary, 'primary'), openHub(secondary, 'secondary')];
    if (isSameHub(first.ref, second.ref)) {
      throw new RedundantHubError('BadRequest', 'primary and secondary are one hub: name another for one of them.');
    }
    this.#hubs = [first, second];
    this.#clients = new Map([
      [fullNameOf(first.ref), openClient(primary)],
      [fullNameOf(second.ref), openClient(secondary)],
    ]);
    const blobs = containerBlobs(container, { limits: LIMITS, onDate: noteStorageTime });
    const storage = { blobs: pairBlobs(blobs, first.ref, second.ref), world: realWorld };
    const log = { info: () => {}, warn: onWarning, error: onWarning };
    this.#parts = { ...storage, log, hubs: this.#hubs, waitForOtherMs };
    this.#pair = new PairWrites(this.#parts);
  }

  /** Puts an installation into both hubs, in place of what they have under its id. */
  async createOrUpdateInstallation(installation: Installation): Promise<Written> {
    return this.#pair.putInstallation(installation.installationId, JSON.stringify(installation));
  }

  /** Changes an installation, by JSON Patch over the service's paths. Throws `NotFound` where the hub in use has none. */
  async updateInstallation(installationId: string, patches: readonly JsonPatch[]): Promise<Written> {
    return this.#pair.patchInstallation(installationId, patches);
  }

  /** One that is not there is no error. */
  async deleteInstallation(installationId: string): Promise<Written> {
    return this.#pair.deleteInstallation(installationId);
  }

  /** An id for a new registration, of the hub in use. Keep it with the device: a second one would be a second device. */
  async createRegistrationId(): Promise<string> {
    return (await this.client()).createRegistrationId();
  }

  /** Puts a registration into both hubs under its id, which `createRegistrationId` gave. */
  async createOrUpdateRegistration(registration: RegistrationDescription): Promise<Written> {
    return this.#pair.putRegistration(registration.registrationId, await toXml(registration));
  }

  /** One that is not there is no error. */
  async deleteRegistration(registrationId: string): Promise<Written> {
    return this.#pair.deleteRegistration(registrationId);
  }

  /** The SDK's client of the hub in use, for reads and sends. Ask for it each time: the role may have changed. */
  async client(): Promise<NotificationHubsClient> {
    const { active } = await this.#pair.role();
    const client = this.#clients.get(fullNameOf(active));
    if (client !== undefined) return client;
    const message = `The stored role names hub ${fullNameOf(active)}, which is neither of the two.`;
    throw new RedundantHubError('WrongTarget', message);
  }

  /** Sends by the hub in use. */
  async sendNotification(notification: Notification, options: SendNotificationOptions) {
    return (await this.client()).sendNotification(notification, options);
  }

  /** As the hub in use has it. */
  async getInstallation(installationId: string): Promise<Installation> {
    return (await this.client()).getInstallation(installationId);
  }

  async roles(): Promise<Roles> {
    const { active, standby } = await this.#pair.role();
    return { active: fullNameOf(active), standby: fullNameOf(standby) };
  }

  /** How far the hubs are apart. Lists what waits: for a dashboard, not for each request. */
  lag(): Promise<Lag> {
    return readLag(this.#parts);
  }

  /**
   * Brings devices from before the first dual write into the other hub: those of the hub's latest snapshot that the other
   * hub does not have, as the hub in use has them now. May be repeated. The app's standby sync does the same for all
   * devices, changed ones included, and faster. Throws `RedundantHubError` `NoGoodSnapshot`.
   */
  async backfill(): Promise<Backfilled> {
    return backfill(this.#parts, await this.#pair.role());
  }

  /** Waits for what is under way and ends the connections. What is left by then the app does. */
  async close(): Promise<void> {
    await this.#pair.close();
    await Promise.all(this.#hubs.map((hub) => hub.close()));
  }
}

function openHub({ connectionString, hubName }: HubOptions, which: string): HubClient {
  try {
    return createHub({
      connection: parseHubConnection(connectionString, hubName, `${which}.connectionString`),
      clock: realWorld,
      random: Math.random,
      limiter: new Limiter({ maxConcurrency: MAX_CONCURRENCY, clock: realWorld }),
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
    });
  } catch (error) {
    throw new RedundantHubError('BadRequest', error instanceof Error ? error.message : `${which} cannot be used.`);
  }
}

/** The SDK's. */
function openClient({ connectionString, hubName }: HubOptions): NotificationHubsClient {
  const { endpoint } = parseHubConnection(connectionString, hubName, 'connectionString');
  return new NotificationHubsClient(connectionString, hubName, plainHttp(endpoint));
}
