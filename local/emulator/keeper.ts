import type { Installation } from './installation.ts';
import type { Random } from './random.ts';
import { type RowContent, splitTags } from './row.ts';
import type { HubParts } from './row-table.ts';
import type { HubSwitches } from './switches.ts';

type Alterations = HubSwitches['storesOtherwise'];

const dayMs = 86_400_000;

/** What becomes of a write when it is stored: an expiry where it has none, and what the hub does not keep as sent. */
export class Keeper {
  readonly #parts: HubParts;
  readonly #random: Random;

  constructor(parts: HubParts) {
    this.#parts = parts;
    this.#random = parts.world.random(`${parts.scope}#stored`);
  }

  content(sent: RowContent): RowContent {
    return alterContent({ ...sent, expiresAt: sent.expiresAt ?? this.#givenExpiry() }, this.#alterations());
  }

  /** The same object where all of it is kept as sent. */
  installation(sent: Installation): Installation {
    const expirationTime = sent.expirationTime ?? this.#givenExpiry();
    const alterations = this.#alterations();
    const pushChannel = this.#parts.switches().uriChannels ? asUri(sent) : sent.pushChannel;
    const isKept = expirationTime === sent.expirationTime && pushChannel === sent.pushChannel;
    if (isKept && alterations.length === 0) return sent;
    return alterInstallation({ ...sent, expirationTime, pushChannel }, alterations);
  }

  #alterations(): Alterations {
    const { storesOtherwise, storesOtherwiseShare } = this.#parts.switches();
    return storesOtherwise.length > 0 && this.#random() < storesOtherwiseShare ? storesOtherwise : [];
  }

  /** As the service writes it: zeros at the end cut. */
  #givenExpiry(): string | undefined {
    const { timeToLiveMs } = this.#parts.switches();
    if (timeToLiveMs === 0) return undefined;
    return new Date(this.#parts.world.now() + timeToLiveMs).toISOString().replace(/\.?0+Z$/, 'Z');
  }
}

function asUri({ platform, pushChannel }: Installation): Installation['pushChannel'] {
  if (platform !== 'wns' || typeof pushChannel !== 'string') return pushChannel;
  return pushChannel.replace(/^(https?:\/\/[^/?#]+)(?=[?#]|$)/i, '$1/');
}

function alterContent(content: RowContent, alterations: Alterations): RowContent {
  return {
    ...content,
    tags: alterTags(splitTags(content.tags), alterations).join(','),
    expiresAt: alterExpiry(content.expiresAt, alterations),
  };
}

function alterInstallation(installation: Installation, alterations: Alterations): Installation {
  return {
    ...installation,
    tags: alterTags(installation.tags, alterations),
    expirationTime: alterExpiry(installation.expirationTime, alterations),
  };
}

function alterTags(tags: readonly string[], alterations: Alterations): string[] {
  if (alterations.includes('no-tags')) return [];
  return alterations.includes('fewer-tags') ? tags.slice(0, -1) : [...tags];
}

function alterExpiry(expiresAt: string | undefined, alterations: Alterations): string | undefined {
  if (expiresAt === undefined || alterations.includes('no-expiry')) return undefined;
  if (!alterations.includes('earlier-expiry')) return expiresAt;
  return new Date(Date.parse(expiresAt) - dayMs).toISOString();
}
