import { handleOfInstallation, type Installation, requireChannelForm } from './installation.ts';
import type { PatchOperation } from './installation-patch.ts';
import { InstallationStore, type StoredInstallation } from './installation-store.ts';
import { blobFiles, type JobFiles } from './job-files.ts';
import { JobStore } from './job-store.ts';
import { Keeper } from './keeper.ts';
import { type ListQuery, listPage } from './listing.ts';
import type { Page } from './page-faults.ts';
import type { Random } from './random.ts';
import { RegistrationStore } from './registration-store.ts';
import { type Row, type RowContent, splitTags } from './row.ts';
import type { RowKey } from './row-order.ts';
import { INSTALLATION_TAG, RowTable } from './row-table.ts';
import { type Push, Sender } from './sends.ts';
import { ServiceError } from './service-error.ts';
import { defaultSwitches, type HubSwitches } from './switches.ts';
import { requireTagRoom } from './tags.ts';
import { type Bucket, takeToken } from './token-bucket.ts';
import { realWorld, type World } from './world.ts';

/** What a hub lives in; the machine's own world and a namespace without end when absent. */
export interface HubSurroundings {
  readonly world?: World | undefined;
  readonly switches?: Partial<HubSwitches> | undefined;
  /** Whether the namespace takes one more device. */
  readonly hasRoom?: () => boolean;
  /** The push services behind the hub. */
  readonly push?: (push: Push) => void;
  /** What its jobs read and write; blobs over HTTP when absent. */
  readonly files?: JobFiles | undefined;
}

/**
 * The rows and installations of one hub, and the service's rules for changing them. Knows no HTTP, and takes time,
 * delays and chance from its world alone.
 */
export class Hub {
  readonly name: string;
  readonly createdAt: Date;
  readonly sender: Sender;
  readonly jobs: JobStore;
  /** How often each answer was given, by `METHOD /route status`. */
  readonly requests = new Map<string, number>();
  /** Calls refused by the hub's rate. */
  throttledCount = 0;

  readonly #world: World;
  readonly #rows: RowTable;
  readonly #registrations: RegistrationStore;
  readonly #installations: InstallationStore;
  readonly #pageRandom: Random;
  readonly #hasRoom: () => boolean;
  #switches: HubSwitches;
  #bucket: Bucket | undefined;

  /** @param scope namespace and hub name, from which ids and chance follow. */
  constructor(name: string, scope: string, surroundings: HubSurroundings = {}) {
    const { world = realWorld, switches, hasRoom = () => true, push = () => {}, files = blobFiles } = surroundings;
    this.name = name;
    this.#world = world;
    this.createdAt = new Date(world.now());
    this.#switches = { ...defaultSwitches, ...switches };
    this.#hasRoom = hasRoom;
    this.#pageRandom = world.random(`${scope}#pages`);
    const parts = { world, scope, switches: () => this.#switches };
    const keeper = new Keeper(parts);
    this.#rows = new RowTable(parts);
    this.#registrations = new RegistrationStore(parts, this.#rows, keeper);
    const requireRoom = (handle: string): void => this.#requireRoom(handle);
    this.#installations = new InstallationStore(parts, this.#rows, keeper, requireRoom);
    this.sender = new Sender(this, { world, scope, push, files });
    this.jobs = new JobStore(this, { world, scope, files });
  }

  get switches(): HubSwitches {
    return this.#switches;
  }

  set switches(next: HubSwitches) {
    const isReordered = next.listOrder !== this.#switches.listOrder;
    this.#switches = next;
    if (isReordered) this.#rows.reorder();
  }

  /** Milliseconds since 1970. */
  get nowMs(): number {
    return this.#world.now();
  }

  get rows(): ReadonlyMap<string, Row> {
    this.#installations.dropExpired();
    return this.#rows.byId;
  }

  get installations(): ReadonlyMap<string, StoredInstallation> {
    this.#installations.dropExpired();
    return this.#installations.byId;
  }

  /** Unique handles: what the tier's limit counts. */
  get deviceCount(): number {
    this.#installations.dropExpired();
    return this.#rows.deviceCount;
  }

  get pendingWriteCount(): number {
    return this.#installations.pendingWriteCount;
  }

  /** Accepted installation writes that turned out impossible later; invisible to the client. */
  get droppedWriteCount(): number {
    return this.#installations.droppedWriteCount;
  }

  /** Takes one call at the hub's rate: 0, or the milliseconds until there is room for the next. */
  admit(): number {
    if (this.switches.requestsPerSecond === 0) {
      this.#bucket = undefined;
      return 0;
    }
    const { bucket, waitMs } = takeToken(this.#bucket, this.switches, this.#world.now());
    this.#bucket = bucket;
    if (waitMs > 0) this.throttledCount += 1;
    return waitMs;
  }

  handles(): Iterable<string> {
    this.#installations.dropExpired();
    return this.#rows.handles();
  }

  rowsOfHandle(handle: string): readonly Row[] {
    this.#installations.dropExpired();
    return this.#rows.ofHandle(handle);
  }

  /** @throws ServiceError 400 for a token this hub did not give. */
  listPage(query: ListQuery): Page {
    this.#installations.dropExpired();
    return listPage(this, query, this.#pageRandom);
  }

  /** Rows in list order, as far as the lists know them already. */
  listed(offset = 0): Iterable<Row> {
    return this.#rows.listed.from(offset);
  }

  offsetAfter(key: RowKey): number {
    return this.#rows.listed.offsetAfter(key);
  }

  inListOrder(rows: Iterable<Row>): Iterable<Row> {
    return this.#rows.inListOrder(rows);
  }

  /** Rows that carry the tag, in list order; an installation's own tag is looked up, unless lists lag, any other is searched for. */
  *listedWithTag(tag: string): Iterable<Row> {
    const wanted = tag.toUpperCase();
    const isLookedUp = INSTALLATION_TAG.test(tag) && !this.#rows.isLagging;
    for (const row of isLookedUp ? this.inListOrder(this.#rows.ofInstallationTag(tag)) : this.listed()) {
      const tags = row.tags.toUpperCase();
      // Most rows are ruled out without splitting.
      if (tags.includes(wanted) && splitTags(tags).includes(wanted)) yield row;
    }
  }

  mintId(): string {
    return this.#registrations.mintId();
  }

  /** @throws ServiceError 400 for too many tags, 403 over the quota. */
  createRegistration(content: RowContent): Row {
    this.#requireFit(splitTags(content.tags), content.handle);
    return this.#registrations.put(this.#rows.newId(), content);
  }

  /**
   * Creates or replaces; with an ETag only replaces.
   * @throws ServiceError 404 or 412 for a condition not met, 410 for an id this hub refuses, else as for creating.
   */
  putRegistration(id: string, content: RowContent, ifMatch?: string): Row {
    this.#installations.dropExpired();
    this.#registrations.requireWritable(id, ifMatch);
    this.#requireFit(splitTags(content.tags), content.handle);
    return this.#registrations.put(id, content);
  }

  /** @throws ServiceError 404 or 412. */
  deleteRegistration(id: string, ifMatch = '*'): void {
    this.#installations.dropExpired();
    this.#registrations.remove(id, ifMatch);
  }

  /**
   * Accepts a PUT; it takes effect after its delay.
   * @throws ServiceError 400 for too many tags or another form of channel, 403 over the quota.
   */
  putInstallation(installation: Installation): void {
    requireChannelForm(installation, this.switches.browserChannel);
    requireTagRoom(installation.tags, this.switches);
    if (this.switches.quotaMet === 'accepted') this.#requireRoom(handleOfInstallation(installation));
    this.#installations.queuePut(installation);
  }

  /**
   * Accepts a patch; one whose outcome is no valid installation is dropped later without a word.
   * @throws ServiceError 404 when there is no such installation and no write waiting that might bring it.
   */
  patchInstallation(installationId: string, operations: readonly PatchOperation[]): void {
    this.#installations.dropExpired();
    this.#installations.queuePatch(installationId, operations);
  }

  /** Deleting what does not exist is no fault. */
  deleteInstallation(installationId: string): void {
    this.#installations.queueDelete(installationId);
  }

  /** Puts an installation and its registrations in place now. */
  applyInstallation(installation: Installation): void {
    this.#installations.apply(installation);
  }

  removeInstallation(installationId: string): void {
    this.#installations.remove(installationId);
  }

  /** Adds a registration past every rule; for seeding. */
  addRow(content: RowContent): string {
    return this.#rows.add(content).id;
  }

  /** Puts a row in place of the one with its id, past every rule. */
  setRow(row: Row): void {
    this.#rows.put(row);
  }

  removeRow(id: string): void {
    this.#rows.remove(id);
  }

  /** All accepted writes take effect and show in lists, now. */
  settle(): void {
    this.#installations.settle();
    this.#rows.settle();
  }

  /** Deletes what has expired, as the service does some time after; gives how many rows went. */
  purgeExpired(): number {
    return this.#installations.purge(this.#world.now());
  }

  /** @throws ServiceError 400 or 403. */
  #requireFit(tags: readonly string[], handle: string): void {
    requireTagRoom(tags, this.switches);
    this.#requireRoom(handle);
  }

  /** @throws ServiceError 403 */
  #requireRoom(handle: string): void {
    if (!this.switches.enforceDeviceQuota || this.#rows.ofHandle(handle).length > 0 || this.#hasRoom()) return;
    const text = 'The namespace has reached the number of active devices that its tier allows';
    throw new ServiceError(403, this.switches.quotaAnswer === 'silent' ? '' : text);
  }
}
