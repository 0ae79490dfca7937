import { FeedbackFiles, isDeath, type Refusal, type Refused } from './feedback.ts';
import type { JobFiles } from './job-files.ts';
import { type PlatformName, platformOfFormat } from './platforms.ts';
import { isInShare, type Random, uuid } from './random.ts';
import { isExpired, type Row, splitTags } from './row.ts';
import { ServiceError } from './service-error.ts';
import type { HubSwitches } from './switches.ts';
import { parseTagExpression, singleTag } from './tag-expression.ts';
import type { World } from './world.ts';

/** What a client asks to be sent. */
export interface SendRequest {
  /** Value of `ServiceBusNotification-Format`: a platform's, or `template`. */
  readonly format: string;
  /** Absent = every row of the format. */
  readonly tagExpression?: string | undefined;
  /** A direct send: to these handles alone, through no row. */
  readonly deviceHandles?: readonly string[] | undefined;
  readonly body: string;
  /** Name under which it reaches the push service; the notification id when absent. */
  readonly message?: string | undefined;
}

/** A finished send and its telemetry. */
export interface Notification {
  readonly id: string;
  readonly format: string;
  readonly body: string;
  readonly sentAt: Date;
  /** Deliveries by platform. */
  readonly deliveries: ReadonlyMap<string, number>;
  /** Where its errors are, if there are any. */
  readonly errors: string | undefined;
}

/** A send that was just made: too many are kept to keep this, too. */
interface Sent extends Notification {
  /** Each delivery. */
  readonly reached: readonly { readonly platform: string; readonly id: string; readonly handle: string }[];
}

const keptNotifications = 1000;

/** One message as it is handed to a push service. */
export interface Push {
  readonly handle: string;
  readonly platform: string;
  /** `direct`: addressed by handle, through no row. */
  readonly kind: 'native' | 'template' | 'direct';
  readonly templateName: string;
  /** Of the row, joined with commas. */
  readonly tags: string;
  readonly message: string;
}

/** What a sender sees of its hub. */
interface Audience {
  readonly rows: ReadonlyMap<string, Row>;
  readonly switches: HubSwitches;
  listedWithTag(tag: string): Iterable<Row>;
  removeRow(id: string): void;
}

/** Carries out the sends of one hub, at once. */
export class Sender {
  readonly #hub: Audience;
  readonly #world: World;
  readonly #push: (push: Push) => void;
  readonly #random: Random;
  readonly #sent = new Map<string, Notification>();
  readonly #scheduled = new Set<string>();
  readonly #feedback: FeedbackFiles;
  /** What push services answer for handles. */
  readonly refusals = new Map<string, Refusal>();

  constructor(hub: Audience, parts: { world: World; scope: string; push: (push: Push) => void; files: JobFiles }) {
    const { world, scope, push, files } = parts;
    this.#hub = hub;
    this.#feedback = new FeedbackFiles({ switches: () => hub.switches, world, files });
    this.#world = world;
    this.#push = push;
    this.#random = world.random(`${scope}#sends`);
  }

  /** @throws ServiceError 400 for an unknown format or a tag expression that cannot be read. */
  send(request: SendRequest): Sent {
    const sentAt = new Date(this.#world.now());
    const id = `${uuid(this.#random).replaceAll('-', '')}-${timestamp(sentAt)}-1`;
    return this.#sendAs(id, request, sentAt);
  }

  /**
   * Sends at a later time, whatever is registered then. Gives the id.
   * @throws ServiceError as for a send.
   */
  schedule(request: SendRequest, atMs: number): string {
    requireFormat(request.format);
    this.#targets(request.tagExpression);
    const now = this.#world.now();
    const hex = uuid(this.#random).replaceAll('-', '');
    const id = `${hex}_${timestamp(new Date(now))}_${this.#scheduled.size}_queue`;
    this.#scheduled.add(id);
    this.#world.after(Math.max(0, atMs - now), () => {
      if (this.#scheduled.delete(id)) this.#sendAs(id, request, new Date(this.#world.now()));
    });
    return id;
  }

  /** Gives whether there was such a send still to come. */
  cancel(id: string): boolean {
    return this.#scheduled.delete(id);
  }

  #sendAs(id: string, request: SendRequest, sentAt: Date): Sent {
    const message = request.message ?? id;
    const refused: Refused[] = [];
    const reached =
      request.deviceHandles === undefined
        ? this.#deliver(request, message, (row, refusal) => refused.push(toRefused(id, row, refusal)))
        : this.#deliverDirect(request, message);
    const deliveries = new Map<string, number>();
    for (const { platform } of reached) deliveries.set(platform, (deliveries.get(platform) ?? 0) + 1);
    const errors = this.#feedback.add(refused);
    const notification = { id, format: request.format, body: request.body, sentAt, deliveries, errors };
    this.#sent.set(id, notification);
    for (const oldest of this.#sent.keys()) {
      if (this.#sent.size <= keptNotifications) break;
      this.#sent.delete(oldest);
    }
    return { ...notification, reached };
  }

  find(id: string): Notification | undefined {
    return this.#sent.get(id);
  }

  /** All feedback is written when this resolves. */
  feedbackWritten(): Promise<void> {
    return this.#feedback.written();
  }

  #deliver(
    { format, tagExpression }: SendRequest,
    message: string,
    onRefused: (row: Row, refusal: Refusal) => void,
  ): Sent['reached'] {
    const { isTemplate, platform } = requireFormat(format);
    const deliveries: Sent['reached'][number][] = [];
    const reached = new Set<string>();
    const now = this.#world.now();
    const { candidates, matches } = this.#targets(tagExpression);
    const { deadHandleShare, deadRowsGo, deduplicateDeliveries } = this.#hub.switches;
    const mayLose = deadHandleShare > 0 || this.refusals.size > 0;
    // As a list, since rows may go on the way.
    for (const row of mayLose ? [...candidates] : candidates) {
      if (row.isTemplate !== isTemplate || (!isTemplate && row.platform !== platform)) continue;
      if (isExpired(row, now) || !matches(row)) continue;
      const refusal = this.refusals.get(row.handle) ?? (isInShare(row.handle, deadHandleShare) ? EXPIRED : undefined);
      if (refusal !== undefined) {
        onRefused(row, refusal);
        if (isDeath(refusal) && deadRowsGo) this.#hub.removeRow(row.id);
        continue;
      }
      if (deduplicateDeliveries) {
        if (reached.has(row.handle)) continue;
        reached.add(row.handle);
      }
      const { handle, templateName, tags } = row;
      const kind = isTemplate ? 'template' : 'native';
      this.#push({ handle, platform: row.platform, kind, templateName, tags, message });
      deliveries.push({ platform: row.platform, id: row.id, handle });
    }
    return deliveries;
  }

  #deliverDirect({ format, deviceHandles = [] }: SendRequest, message: string): Sent['reached'] {
    const platform = requireFormat(format).platform;
    if (platform === undefined) throw new ServiceError(400, unknownFormat);
    return deviceHandles.map((sent) => {
      const handle = platform === 'Apple' ? sent.toUpperCase() : sent;
      this.#push({ handle, platform, kind: 'direct', templateName: '', tags: '', message });
      return { platform, id: '', handle };
    });
  }

  #targets(tagExpression: string | undefined) {
    if (tagExpression === undefined || tagExpression.trim() === '') {
      return { candidates: this.#hub.rows.values(), matches: () => true };
    }
    const predicate = parseTagExpression(tagExpression);
    const only = singleTag(tagExpression);
    // One reserved tag is how most applications address one device: no walk through the whole hub for it.
    const candidates = only === undefined ? this.#hub.rows.values() : this.#hub.listedWithTag(only);
    return { candidates, matches: (row: Row) => predicate(tagSet(row)) };
  }
}

const EXPIRED: Refusal = { error: 'ExpiredChannel' };

function toRefused(notificationId: string, { id, handle, platform, tags }: Row, refusal: Refusal): Refused {
  const installationId = /\$InstallationId:\{([^}]*)\}/i.exec(tags)?.[1];
  return { ...refusal, platform, handle, registrationId: id, installationId, notificationId };
}

const unknownFormat = 'The notification format is not supported.';

/** @throws ServiceError 400 */
function requireFormat(format: string): { readonly isTemplate: boolean; readonly platform: PlatformName | undefined } {
  const isTemplate = format.toLowerCase() === 'template';
  const platform = platformOfFormat(format)?.name;
  if (!isTemplate && platform === undefined) throw new ServiceError(400, unknownFormat);
  return { isTemplate, platform };
}

function tagSet(row: Row): Set<string> {
  return new Set(splitTags(row.tags.toUpperCase()));
}

/** `20181107001834` */
function timestamp(at: Date): string {
  return at.toISOString().replace(/\D/g, '').slice(0, 14);
}
