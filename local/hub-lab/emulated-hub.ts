import { randomUUID } from 'node:crypto';
import type { Hub } from '../emulator/hub.ts';
import { type PlatformName, platforms } from '../emulator/platforms.ts';
import { splitTags } from '../emulator/row.ts';
import { type HubSwitches, switchesSchema } from '../emulator/switches.ts';
import { renderDescription } from '../emulator/xml-out.ts';
import { type ChurnOptions, type ChurnSummary, churn, type GoLiveOptions, goLive } from './churn.ts';
import type { Inbox, Inboxes, InboxLine } from './inboxes.ts';
import { type SeedOptions, type SeedSummary, seed } from './seed.ts';

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

interface Broadcast {
  readonly message: string;
  readonly deliveries: number;
  readonly notificationIds: readonly string[];
}

export interface HubStats {
  readonly registrations: number;
  readonly installations: number;
  readonly devices: number;
  readonly pendingInstallationWrites: number;
  /** Accepted, found impossible later, and dropped without the client being informed. */
  readonly droppedInstallationWrites: number;
  /** Calls refused by the hub's own rate, since the counts were cleared. */
  readonly throttled: number;
  readonly inboxes: { readonly devices: number; readonly deliveries: number };
  readonly requestCounts: readonly RequestCount[];
  readonly switches: HubSwitches;
}

/** What a send may be in, for every row to be reached by one. */
const formats = [...platforms.map(({ sendFormat }) => sendFormat), 'template'];

/** A hub as a test sees it: everything that the service's own API does not offer. */
export class EmulatedHub {
  readonly name: string;
  readonly #hub: Hub;
  readonly #inboxes: Inboxes;

  constructor(hub: Hub, inboxes: Inboxes) {
    this.name = hub.name;
    this.#hub = hub;
    this.#inboxes = inboxes;
  }

  /** Adds devices straight to the state. @throws ZodError for options out of range. */
  seed(options: SeedOptions): SeedSummary {
    return seed(this.#hub, options);
  }

  /** Devices change, go and come, the same ones for the same seed. */
  churn(options: ChurnOptions): ChurnSummary {
    return churn(this.#hub, options);
  }

  /** Devices that register here after a failover: new ones, and ones `source` knows, with one more tag. */
  goLive(source: EmulatedHub, options: GoLiveOptions): { added: number; returned: number } {
    return goLive(this.#hub, source.#hub, options);
  }

  registrations(): Iterable<RowView> {
    return rowViews(this.#hub);
  }

  /** What a GET of each installation answers. */
  *installations(): Iterable<unknown> {
    for (const { json } of this.#hub.installations.values()) yield JSON.parse(json);
  }

  /** Unique handles. */
  devices(): number {
    return this.#hub.deviceCount;
  }

  /** All accepted installation writes are applied, and the lists show every write, when this resolves. */
  async settle(): Promise<void> {
    this.#hub.settle();
  }

  /** Deletes expired rows, as the service does some time after; gives how many. */
  purgeExpired(): number {
    return this.#hub.purgeExpired();
  }

  /** One native send for each platform and one template send under one message: every live row gets it once. */
  async broadcast({ message = randomUUID() }: { message?: string | undefined } = {}): Promise<Broadcast> {
    const sent = formats.map((format) => this.#hub.sender.send({ format, body: '{}', message }));
    const deliveries = sent.flatMap((each) => [...each.deliveries.values()]).reduce((sum, count) => sum + count, 0);
    return { message, deliveries, notificationIds: sent.map(({ id }) => id) };
  }

  /**
   * For each tag the same as a broadcast, to the rows that carry it, under a message of the tag's name.
   * @throws ServiceError 400 for a tag that an expression cannot name.
   */
  pushToTags(tags: readonly string[]): void {
    for (const tag of tags) {
      for (const format of formats) this.#hub.sender.send({ format, tagExpression: tag, body: '{}', message: tag });
    }
  }

  /** From now on the push services answer so for these handles; without an error they take messages again. */
  markDead(
    handles: readonly string[],
    refusal: { readonly error: string; readonly newHandle?: string | undefined } | undefined,
  ): void {
    for (const handle of handles) {
      if (refusal === undefined) this.#hub.sender.refusals.delete(handle);
      else this.#hub.sender.refusals.set(handle, refusal);
    }
  }

  /** All feedback is in its container when this resolves. */
  feedbackWritten(): Promise<void> {
    return this.#hub.sender.feedbackWritten();
  }

  /** Stuck jobs go on; gives how many. */
  releaseJobs(): number {
    return this.#hub.jobs.release();
  }

  inbox(handle: string): Inbox {
    return this.#inboxes.inbox(handle);
  }

  inboxCounts(): Iterable<InboxLine> {
    return this.#inboxes.counts();
  }

  clearInboxes(): void {
    this.#inboxes.clear();
  }

  requestCounts(): RequestCount[] {
    return [...this.#hub.requests].map(([line, count]) => {
      const [method = '', route = '', status = ''] = line.split(' ');
      return { method, route, status: Number(status), count };
    });
  }

  clearRequestCounts(): void {
    this.#hub.requests.clear();
    this.#hub.throttledCount = 0;
  }

  /** Changes the given switches, leaves the others. @throws ZodError for an unknown one. */
  switches(changes: Partial<HubSwitches>): HubSwitches {
    this.#hub.switches = switchesSchema.parse({ ...this.#hub.switches, ...changes });
    return this.#hub.switches;
  }

  stats(): HubStats {
    return {
      registrations: this.#hub.rows.size,
      installations: this.#hub.installations.size,
      devices: this.#hub.deviceCount,
      pendingInstallationWrites: this.#hub.pendingWriteCount,
      droppedInstallationWrites: this.#hub.droppedWriteCount,
      throttled: this.#hub.throttledCount,
      inboxes: this.#inboxes.totals(),
      requestCounts: this.requestCounts(),
      switches: this.#hub.switches,
    };
  }
}

function* rowViews(hub: Hub): Iterable<RowView> {
  for (const row of hub.rows.values()) {
    const { id, etag, platform, isTemplate, templateName, handle, tags, expiresAt, installationId } = row;
    const plain = { id, etag, platform, isTemplate, templateName, handle, tags: splitTags(tags) };
    const xml = renderDescription(row, hub.switches.generation);
    yield { ...plain, expiresAt: expiresAt ?? null, installationId: installationId ?? null, xml };
  }
}
