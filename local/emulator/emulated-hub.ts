import { type ChurnOptions, churn, goLive } from './churn.ts';
import type { Hub } from './hub.ts';
import type { Inbox, InboxLine } from './inboxes.ts';
import type { PlatformName } from './platforms.ts';
import { splitTags } from './row.ts';
import { type SeedOptions, type SeedSummary, seed } from './seed.ts';
import { type HubSwitches, switchesSchema } from './switches.ts';
import { renderDescription } from './xml-out.ts';

/** One registration as a test or an oracle looks at it. */
export interface RowView {
  readonly id: string;
  readonly etag: number;
  readonly platform: PlatformName;
  readonly isTemplate: boolean;
  /** Empty for native rows and nameless templates. */
  readonly templateName: string;
  readonly handle: string;
  /** Sorted, with `$InstallationId` and `$UserId`. */
  readonly tags: readonly string[];
  /** ISO instant; null = never. */
  readonly expiresAt: string | null;
  readonly installationId: string | null;
  /** The description as a list shows it. */
  readonly xml: string;
}

/** Requests a hub answered, by route and status. */
export interface RequestCount {
  readonly method: string;
  /** Below the hub, such as `/registrations/{}`. */
  readonly route: string;
  readonly status: number;
  readonly count: number;
}

export interface HubStats {
  readonly registrations: number;
  readonly installations: number;
  readonly devices: number;
  readonly pendingInstallationWrites: number;
  /** Accepted, found impossible later, and dropped without a word to the client. */
  readonly droppedInstallationWrites: number;
  /** Calls refused by the hub's own rate, since the counts were cleared. */
  readonly throttled: number;
  readonly inboxes: { readonly devices: number; readonly deliveries: number };
  readonly requestCounts: readonly RequestCount[];
  readonly switches: HubSwitches;
}

/** A hub as seen from the test bench: everything that the service's own API does not offer. */
export interface EmulatedHub {
  readonly name: string;
  /** Adds devices straight to the state. @throws ZodError for options out of range. */
  seed(options: SeedOptions): SeedSummary;
  /** Changes, removes and adds devices, the same ones for the same seed. */
  churn(options: ChurnOptions): { changed: number; removed: number; added: number };
  /** Devices that register here after a failover: new ones, and ones `source` knows, with one more tag. */
  goLive(
    source: EmulatedHub,
    options: { add: number; returning: number; seed: number },
  ): { added: number; returned: number };
  registrations(): Iterable<RowView>;
  /** What a GET of each installation answers. */
  installations(): Iterable<unknown>;
  /** Unique handles. */
  devices(): number;
  /** All accepted installation writes are applied, and the lists show every write, when this resolves. */
  settle(): Promise<void>;
  /** Deletes expired rows, as the service does some time after; gives how many. */
  purgeExpired(): number;
  /** One native send for each platform and one template send under one message: every live row once. */
  broadcast(options?: { message?: string | undefined }): Promise<{
    message: string;
    deliveries: number;
    notificationIds: string[];
  }>;
  inbox(handle: string): Inbox;
  inboxCounts(): Iterable<InboxLine>;
  clearInboxes(): void;
  requestCounts(): RequestCount[];
  clearRequestCounts(): void;
  /** Changes the given switches, leaves the others. @throws ZodError for an unknown one. */
  switches(changes: Partial<HubSwitches>): HubSwitches;
  stats(): HubStats;
}

const hubsBehind = new WeakMap<EmulatedHub, Hub>();

export function emulatedHub(hub: Hub): EmulatedHub {
  const emulated: EmulatedHub = {
    name: hub.name,
    seed: (options) => seed(hub, options),
    churn: (options) => churn(hub, options),
    goLive: (source, options) => goLive(hub, hubBehind(source), options),
    registrations: () => rowViews(hub),
    installations: () => installationViews(hub),
    devices: () => hub.deviceCount,
    settle: async () => hub.settle(),
    purgeExpired: () => hub.purgeExpired(),
    broadcast: async (options = {}) => hub.sender.broadcast(options.message),
    inbox: (handle) => hub.inboxes.inbox(handle),
    inboxCounts: () => hub.inboxes.counts(),
    clearInboxes: () => hub.inboxes.clear(),
    requestCounts: () => requestCounts(hub),
    clearRequestCounts: () => {
      hub.requests.clear();
      hub.throttledCount = 0;
    },
    switches: (changes) => {
      hub.switches = switchesSchema.parse({ ...hub.switches, ...changes });
      return hub.switches;
    },
    stats: () => stats(hub),
  };
  hubsBehind.set(emulated, hub);
  return emulated;
}

function hubBehind(emulated: EmulatedHub): Hub {
  const hub = hubsBehind.get(emulated);
  if (hub === undefined) throw new TypeError('not a hub of this emulator');
  return hub;
}

function* rowViews(hub: Hub): Iterable<RowView> {
  for (const row of hub.rows.values()) {
    const { id, etag, platform, isTemplate, templateName, handle, tags, expiresAt, installationId } = row;
    const plain = { id, etag, platform, isTemplate, templateName, handle, tags: splitTags(tags) };
    const xml = renderDescription(row, hub.switches.generation);
    yield { ...plain, expiresAt: expiresAt ?? null, installationId: installationId ?? null, xml };
  }
}

function* installationViews(hub: Hub): Iterable<unknown> {
  for (const { json } of hub.installations.values()) yield JSON.parse(json);
}

function requestCounts(hub: Hub): RequestCount[] {
  return [...hub.requests].map(([line, count]) => {
    const [method = '', route = '', status = ''] = line.split(' ');
    return { method, route, status: Number(status), count };
  });
}

function stats(hub: Hub): HubStats {
  return {
    registrations: hub.rows.size,
    installations: hub.installations.size,
    devices: hub.deviceCount,
    pendingInstallationWrites: hub.pendingWriteCount,
    droppedInstallationWrites: hub.droppedWriteCount,
    throttled: hub.throttledCount,
    inboxes: hub.inboxes.totals(),
    requestCounts: requestCounts(hub),
    switches: hub.switches,
  };
}
