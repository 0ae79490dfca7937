import { z } from 'zod';
import type { Hub } from '../emulator/hub.ts';
import type { Installation } from '../emulator/installation.ts';
import { type PlatformSpec, platforms } from '../emulator/platforms.ts';
import { integer, pick, type Random, seededRandom } from '../emulator/random.ts';
import { toRowContent } from '../emulator/row.ts';
import { element } from '../emulator/xml-text.ts';
import {
  aHandle,
  aTemplate,
  channelOf,
  installationId,
  someTags,
  templateHeaders,
  userId,
  variables,
} from './seed-shapes.ts';

const share = z.number().min(0).max(1);
const whole = z.int().min(0);

/** What to fill a hub with. The same options give the same devices; only `now` makes a day of difference. */
export const seedOptionsSchema = z.strictObject({
  /** Unique handles. */
  devices: whole,
  seed: whole.default(1),
  installationShare: share.default(0.6),
  templateShare: share.default(0.2),
  /** Devices whose handle is in a second record: an equal plain row, or another installation. */
  duplicateShare: share.default(0.03),
  expiringShare: share.default(0.1),
  /** Rows that expired yesterday and were not purged yet. */
  expiredShare: share.default(0),
  /** Plain rows with an element outside the contract. */
  unknownElementShare: share.default(0),
  /** Milliseconds since 1970 from which expiries count; the start of today when absent. */
  now: z.number().optional(),
});

export type SeedOptions = z.input<typeof seedOptionsSchema>;

/** What a hub holds after seeding. */
export interface SeedSummary {
  readonly devices: number;
  readonly registrations: number;
  readonly installations: number;
  readonly plainRegistrations: number;
  readonly templates: number;
  /** Rows by platform. */
  readonly byPlatform: Readonly<Record<string, number>>;
}

const dayMs = 86_400_000;

/** Adds devices straight to the hub's state, past quota and delay. @throws ZodError for options out of range. */
export function seed(hub: Hub, options: SeedOptions): SeedSummary {
  const checked = seedOptionsSchema.parse(options);
  const seeder = new Seeder(hub, checked);
  for (let index = 0; index < checked.devices; index += 1) seeder.addDevice();
  hub.settle();
  return summarize(hub);
}

export function summarize(hub: Hub): SeedSummary {
  const byPlatform: Record<string, number> = {};
  let templates = 0;
  let plainRegistrations = 0;
  for (const row of hub.rows.values()) {
    byPlatform[row.platform] = (byPlatform[row.platform] ?? 0) + 1;
    if (row.isTemplate) templates += 1;
    if (row.installationId === undefined) plainRegistrations += 1;
  }
  const { deviceCount: devices, rows, installations } = hub;
  const counts = { registrations: rows.size, installations: installations.size, plainRegistrations, templates };
  return { devices, ...counts, byPlatform };
}

class Seeder {
  readonly #hub: Hub;
  readonly #options: z.output<typeof seedOptionsSchema>;
  readonly #random: Random;
  readonly #now: number;

  constructor(hub: Hub, options: z.output<typeof seedOptionsSchema>) {
    this.#hub = hub;
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#now = options.now ?? Math.floor(hub.nowMs / dayMs) * dayMs;
  }

  addDevice(): void {
    const { installationShare, duplicateShare } = this.#options;
    const spec = aPlatform(this.#random);
    const texts = aHandle(this.#random, spec);
    // Installations of Baidu and Mpns are documented as unsupported or long gone: plain rows only.
    const mayInstall = spec.name !== 'Baidu' && spec.name !== 'Mpns';
    if (mayInstall && this.#chance(installationShare)) {
      this.#addInstallation(spec, texts);
      if (this.#chance(duplicateShare)) this.#addInstallation(spec, texts);
    } else {
      this.#addPlain(spec, texts, this.#chance(duplicateShare) ? 2 : 1);
    }
  }

  #addInstallation(spec: PlatformSpec, texts: ReadonlyMap<string, string>): void {
    const random = this.#random;
    const id = installationId(random);
    const hasUser = this.#chance(0.4);
    const templates: Installation['templates'] = {};
    if (this.#chance(this.#options.templateShare)) {
      // Almost everyone has one template called `template`; a name with a blank makes an implicit tag with one.
      const names = this.#chance(0.9) ? ['template'] : ['Template Name', 'silent'];
      for (const name of names) {
        const tags = this.#chance(0.5) && /^\w+$/.test(id) ? [id] : [];
        const expiry = spec.name === 'Apple' && this.#chance(0.2) ? '$(expiry)' : undefined;
        templates[name] = { body: aTemplate(random, spec), headers: templateHeaders(spec), expiry, tags };
      }
    }
    this.#hub.applyInstallation({
      installationId: id,
      platform: spec.installationName,
      pushChannel: this.#channel(spec, texts),
      expirationTime: this.#expiry(),
      userId: hasUser ? userId(random) : undefined,
      tags: someTags(random),
      pushVariables: this.#chance(0.1) ? variables(random) : {},
      templates,
      secondaryTiles: {},
    });
  }

  #addPlain(spec: PlatformSpec, handle: ReadonlyMap<string, string>, times: number): void {
    const random = this.#random;
    const isTemplate = this.#chance(this.#options.templateShare);
    const texts = new Map(handle);
    if (isTemplate) {
      texts.set('BodyTemplate', aTemplate(random, spec));
      if (this.#chance(0.8)) texts.set('TemplateName', 'template');
      if (spec.name === 'Apple' && this.#chance(0.2)) texts.set('Expiry', '2030-11-07T16:18:32.6641371-08:00');
    }
    const hasUnknown = this.#chance(this.#options.unknownElementShare);
    const content = toRowContent(
      {
        platform: spec.name,
        isTemplate,
        tags: someTags(random),
        pushVariables: this.#chance(0.1) ? JSON.stringify(variables(random)) : undefined,
        texts,
        headers: isTemplate ? Object.entries(templateHeaders(spec)) : [],
        unknownXml: hasUnknown ? element('FutureField', 'kept & carried') : undefined,
      },
      { expiresAt: this.#expiry() },
    );
    for (let time = 0; time < times; time += 1) this.#hub.addRow(content);
  }

  /** Browsers come as an object or as JSON text; the rest as text. */
  #channel(spec: PlatformSpec, texts: ReadonlyMap<string, string>): Installation['pushChannel'] {
    const channel = channelOf(spec, texts);
    return typeof channel === 'string' || this.#chance(0.5) ? channel : JSON.stringify(channel);
  }

  #expiry(): string | undefined {
    if (this.#chance(this.#options.expiredShare)) return new Date(this.#now - dayMs).toISOString();
    if (!this.#chance(this.#options.expiringShare)) return undefined;
    return new Date(this.#now + (20 + integer(this.#random, 70)) * dayMs).toISOString();
  }

  #chance(of: number): boolean {
    return this.#random() < of;
  }
}

const platformShares: Readonly<Record<PlatformSpec['name'], number>> = {
  Apple: 0.45,
  FcmV1: 0.45,
  Windows: 0.03,
  Browser: 0.025,
  Gcm: 0.014,
  Adm: 0.01,
  Baidu: 0.01,
  Xiaomi: 0.01,
  Mpns: 0.001,
};

function aPlatform(random: Random): PlatformSpec {
  let left = random();
  for (const spec of platforms) {
    left -= platformShares[spec.name];
    if (left < 0) return spec;
  }
  return pick(random, platforms);
}
