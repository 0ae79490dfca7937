import { readContents, readPushVariables } from './contents.ts';
import { compareText } from './record.ts';
import { installationIdOf, type Registration, userIdOf } from './registration.ts';

/** Why an installation could not be rebuilt from its rows. Stable: operators see these. */
export type RebuildFault = 'UnknownPlatform' | 'TemplateWithoutName';

export interface RebuiltInstallation {
  readonly id: string;
  readonly body: InstallationBody;
  /** The native row was missing, so the installation's own tags are those all its templates share. */
  readonly isPartial: boolean;
}

interface InstallationBody {
  readonly installationId: string;
  readonly platform: string;
  readonly pushChannel: string;
  readonly expirationTime?: string;
  readonly userId?: string;
  readonly tags?: readonly string[];
  readonly pushVariables?: unknown;
  readonly templates?: Readonly<Record<string, TemplateBody>>;
  readonly secondaryTiles?: Readonly<Record<string, TileBody>>;
}

interface TemplateBody {
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly expiry?: string;
  readonly tags?: readonly string[];
}

interface TileBody {
  readonly pushChannel: string;
  readonly tags?: readonly string[];
  readonly templates?: Readonly<Record<string, TemplateBody>>;
}

/** The installation API's platform names (service-facts 1.6); it compares them without regard to case. */
const platformNames: Readonly<Record<string, string>> = {
  Apple: 'apns',
  Windows: 'wns',
  Mpns: 'mpns',
  Adm: 'adm',
  Gcm: 'gcm',
  FcmV1: 'fcmv1',
  Baidu: 'baidu',
  Browser: 'browser',
  Xiaomi: 'xiaomi',
};

/** Expiries from this year on mean "never"; the service writes 9999-12-31. */
const NEVER_FROM_YEAR = 9000;

/**
 * The installation that produced these rows (service-facts 1.7): the native row carries its tags, user id, push
 * variables and expiry; a template row's own tags are what it has beyond those, without its name, which the service
 * adds by itself and would refuse from us when it holds a space.
 */
export function rebuildInstallation(
  rows: readonly Registration[],
  expiryFloorAtMs: number,
): RebuiltInstallation | RebuildFault {
  const main = rows.filter((row) => row.tileName === undefined);
  const source = main.find((row) => !row.isTemplate) ?? main[0] ?? rows[0];
  const id = installationIdOf(source?.tags ?? []);
  if (source === undefined || id === undefined) return 'UnknownPlatform';
  const platform = platformNames[source.platform];
  if (platform === undefined) return 'UnknownPlatform';
  const isPartial = source.isTemplate;
  const tags = isPartial ? sharedTags(main) : ownTags(source);
  const templates = templatesOf(main, tags);
  const tiles = tilesOf(rows);
  if (templates === undefined || tiles === undefined) return 'TemplateWithoutName';
  const userId = userIdOf(source.tags);
  const expirationTime = expiryOf(source, expiryFloorAtMs);
  const pushVariables = pushVariablesOf(source);
  const body: InstallationBody = {
    installationId: id,
    platform,
    pushChannel: pushChannelOf(source),
    ...(expirationTime === undefined ? {} : { expirationTime }),
    ...(userId === undefined ? {} : { userId }),
    ...(tags.length === 0 ? {} : { tags }),
    ...(pushVariables === undefined ? {} : { pushVariables }),
    ...(isEmpty(templates) ? {} : { templates }),
    ...(isEmpty(tiles) ? {} : { secondaryTiles: tiles }),
  };
  return { id, body, isPartial };
}

/** The same installation with one more tag: a PUT of it takes effect where an identical one would be ignored. */
export function withRepairTag(body: InstallationBody): InstallationBody {
  return { ...body, tags: [...(body.tags ?? []), 'notification-hubs-dr-repair'] };
}

function ownTags(row: Registration): string[] {
  return row.tags.filter((tag) => !tag.startsWith('$'));
}

function sharedTags(rows: readonly Registration[]): string[] {
  const [first, ...others] = rows.map((row) =>
    without(ownTags(row), inLowerCase(row.templateName === undefined ? [] : [row.templateName])),
  );
  const lowered = others.map(inLowerCase);
  return (first ?? []).filter((tag) => lowered.every((tags) => tags.has(tag.toLowerCase())));
}

/** `undefined` when a template row has no name: the installation API cannot hold such a template. */
function templatesOf(rows: readonly Registration[], installationTags: readonly string[]) {
  const templates: Record<string, TemplateBody> = {};
  if (!rows.some(({ isTemplate }) => isTemplate)) return templates;
  const unwanted = inLowerCase(installationTags);
  for (const row of rows) {
    if (!row.isTemplate) continue;
    if (row.templateName === undefined) return undefined;
    const name = row.templateName.toLowerCase();
    const tags = without(ownTags(row), unwanted).filter((tag) => tag.toLowerCase() !== name);
    const { body = '', expiry, headers: pairs } = readContents(row.xml);
    const headers: Record<string, string> = {};
    for (const [header, value] of pairs) headers[header] = value;
    Object.defineProperty(templates, row.templateName, {
      enumerable: true,
      // Of two rows of one name, which only a torn listing shows, the later one stays.
      configurable: true,
      value: {
        body,
        ...(isEmpty(headers) ? {} : { headers }),
        ...(expiry === undefined ? {} : { expiry }),
        ...(tags.length === 0 ? {} : { tags }),
      },
    });
  }
  return templates;
}

/** How tiles show in a listing is a guess (service-facts 9.9): rows with a SecondaryTileName, native or template. */
function tilesOf(rows: readonly Registration[]) {
  const tiles: Record<string, TileBody> = {};
  if (rows.every(({ tileName }) => tileName === undefined)) return tiles;
  const names = new Set(rows.flatMap((row) => (row.tileName === undefined ? [] : [row.tileName])));
  for (const name of [...names].sort(compareText)) {
    const tileRows = rows.filter((row) => row.tileName === name);
    const source = tileRows.find((row) => !row.isTemplate) ?? tileRows[0];
    if (source === undefined) continue;
    const tags = source.isTemplate ? [] : ownTags(source);
    const templates = templatesOf(tileRows, tags);
    if (templates === undefined) return undefined;
    Object.defineProperty(tiles, name, {
      enumerable: true,
      value: {
        pushChannel: source.handle,
        ...(tags.length === 0 ? {} : { tags }),
        ...(isEmpty(templates) ? {} : { templates }),
      },
    });
  }
  return tiles;
}

function pushChannelOf(row: Registration): string {
  if (row.platform !== 'Browser') return row.handle;
  const { p256dh = '', auth = '' } = readContents(row.xml);
  return JSON.stringify({ endpoint: row.handle, p256dh, auth });
}

function expiryOf(row: Registration, floorAtMs: number): string | undefined {
  if (row.expirationTime === undefined) return undefined;
  const year = Number(row.expirationTime.slice(0, 4));
  if (!(year < NEVER_FROM_YEAR)) return undefined;
  const hasZone = /(?:Z|[+-]\d{2}:\d{2})$/i.test(row.expirationTime);
  const atMs = Date.parse(hasZone ? row.expirationTime : `${row.expirationTime}Z`);
  if (Number.isNaN(atMs)) return undefined;
  return atMs < floorAtMs ? new Date(floorAtMs).toISOString() : hasZone ? row.expirationTime : `${row.expirationTime}Z`;
}

function pushVariablesOf(row: Registration): unknown {
  const text = readPushVariables(row.xml);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON although the service documents it so: the hub is the judge of what it gave us.
    return text;
  }
}

/** Tags are equal without regard to case. */
function inLowerCase(tags: readonly string[]): ReadonlySet<string> {
  return new Set(tags.map((tag) => tag.toLowerCase()));
}

function without(tags: readonly string[], unwanted: ReadonlySet<string>): string[] {
  return unwanted.size === 0 ? [...tags] : tags.filter((tag) => !unwanted.has(tag.toLowerCase()));
}

function isEmpty(record: object): boolean {
  return Object.keys(record).length === 0;
}
