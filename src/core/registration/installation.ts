import { compareText } from '../bytes/search.ts';
import { readContents, readPushVariables } from './contents.ts';
import { areDistinct, chooseRows } from './distinct.ts';
import { asJoinedByHub } from './elements.ts';
import { expiryMsOf, withZone } from './expiry.ts';
import { installationIdOf, type Registration, userIdOf } from './registration.ts';
import { isRepairTag, splitTags } from './tags.ts';

/** Why an installation could not be rebuilt from its rows. Stable: operators see it. */
export type RebuildFault = 'UnknownPlatform';

/** The installation API's platform names (service-facts 1.6); it compares them without regard to case. */
const platformNames: ReadonlyMap<string, string> = new Map([
  ['Apple', 'apns'],
  ['Windows', 'wns'],
  ['Mpns', 'mpns'],
  ['Adm', 'adm'],
  ['Gcm', 'gcm'],
  ['FcmV1', 'fcmv1'],
  ['Baidu', 'baidu'],
  ['Browser', 'browser'],
  ['Xiaomi', 'xiaomi'],
]);

/**
 * The installation that produced these rows (service-facts 1.7): the native row carries its tags, user id, push
 * variables and expiry; a template row's own tags are what it has beyond those, without its name, which the service
 * adds by itself and would refuse from us when it holds a space. Where the native row is missing, the installation's
 * own tags are those all its templates share.
 */
export function rebuildInstallation(given: readonly Registration[], expiryFloorAtMs: number) {
  const rows = areDistinct(given) ? given : [...chooseRows(given).rows.values()];
  const { source, tags, main } = readInstallation(rows);
  const id = installationIdOf(source?.tags ?? []);
  if (source === undefined || id === undefined) return 'UnknownPlatform';
  const platform = platformNames.get(source.platform);
  if (platform === undefined) return 'UnknownPlatform';
  const templates = templatesOf(main, tags);
  const tiles = tilesOf(rows, tags);
  const body = {
    installationId: id,
    platform,
    pushChannel: pushChannelOf(source),
    expirationTime: expiryOf(rows, expiryFloorAtMs),
    userId: userIdOf(source.tags),
    tags: unlessEmpty(tags),
    pushVariables: pushVariablesOf(source),
    templates: unlessEmpty(templates),
    secondaryTiles: unlessEmpty(tiles),
  };
  return { id, body };
}

/** Without its tiles: its rows, the one that says what all have in common, and its own tags. */
export function readInstallation(rows: readonly Registration[]) {
  const main = rows.filter((row) => row.tileName === undefined);
  const source = main.find((row) => !row.isTemplate) ?? main[0] ?? rows[0];
  const tags = source === undefined || source.isTemplate ? sharedTags(main) : ownTags(source.tags);
  return { main, source, tags };
}

/**
 * The same installation with another expiry: a PUT of it takes effect where an identical one would be ignored, and
 * whichever of the two counts in the end, the device has the same. The expiry is a second later, and "never" a year
 * sooner: a hub may take the whole of its last year for "never".
 */
export function withVariedExpiry<T extends { readonly expirationTime: string | undefined }>(body: T): T {
  const { expirationTime } = body;
  const varied =
    expirationTime === undefined ? ALMOST_NEVER : new Date(Date.parse(expirationTime) + 1000).toISOString();
  return { ...body, expirationTime: varied };
}

const ALMOST_NEVER = '9998-12-31T23:59:59.000Z';

/** Without those the service makes, and the one that earlier versions of the app left. */
export function ownTags(tags: readonly string[]): string[] {
  return tags.filter((tag) => !tag.startsWith('$') && !isRepairTag(tag));
}

function sharedTags(rows: readonly Registration[]): string[] {
  const [first = [], ...others] = rows.map(tagsBesideName);
  const lowered = others.map(inLowerCase);
  return first.filter((tag) => lowered.every((tags) => tags.has(tag.toLowerCase())));
}

/** Own tags without the name of the template, of which the service makes a tag: one with commas is listed as several. */
function tagsBesideName({ tags, templateName = '' }: Registration): string[] {
  const names = splitTags(templateName.toLowerCase());
  const own = ownTags(tags);
  if (names.length < 2) return without(own, new Set(names));
  return own.filter((tag) => {
    const at = names.indexOf(tag.toLowerCase());
    if (at >= 0) names.splice(at, 1);
    return at < 0;
  });
}

/** Without those that have no name. */
function templatesOf(rows: readonly Registration[], inherited: readonly string[]) {
  if (!rows.some(({ isTemplate }) => isTemplate)) return {};
  const unwanted = inLowerCase(inherited);
  const templates: [string, object][] = [];
  for (const row of rows) {
    if (row.templateName === undefined) continue;
    const own = without(tagsBesideName(row), unwanted);
    const { body = '', expiry, headers } = readContents(row.xml);
    const rest = { headers: unlessEmpty(Object.fromEntries(headers)), expiry, tags: unlessEmpty(own) };
    templates.push([row.templateName, { body, ...rest }]);
  }
  return Object.fromEntries(templates);
}

/**
 * How tiles show in a listing is a guess (service-facts 9.9): rows with a SecondaryTileName, native or template. One
 * whose rows have all tags of the installation has them from there.
 */
function tilesOf(rows: readonly Registration[], installationTags: readonly string[]) {
  if (rows.every(({ tileName }) => tileName === undefined)) return {};
  const tiles: [string, object][] = [];
  const names = new Set(rows.flatMap(({ tileName }) => tileName ?? []));
  for (const name of [...names].sort(compareText)) {
    const tileRows = rows.filter((row) => row.tileName === name);
    const source = tileRows.find((row) => !row.isTemplate) ?? tileRows[0];
    if (source === undefined) continue;
    const inherited = tileRows.every((row) => hasAll(row.tags, installationTags)) ? installationTags : [];
    const tags = source.isTemplate ? [] : without(ownTags(source.tags), inLowerCase(inherited));
    const templates = templatesOf(tileRows, [...inherited, ...tags]);
    const rest = { tags: unlessEmpty(tags), templates: unlessEmpty(templates) };
    tiles.push([name, { pushChannel: source.handle, ...rest }]);
  }
  return Object.fromEntries(tiles);
}

function hasAll(tags: readonly string[], wanted: readonly string[]): boolean {
  const lowered = inLowerCase(tags);
  return wanted.every((tag) => lowered.has(tag.toLowerCase()));
}

/**
 * Of a browser an object, as the REST reference has it, unless the hub lists the text that .NET and Java send, unread, as
 * the endpoint. Which of the two the service wants is not recorded: the hub's client tries the other one, too.
 */
function pushChannelOf(row: Registration): string | object {
  if (row.platform === 'Baidu') return asJoinedByHub(row.handle);
  if (row.platform !== 'Browser' || row.handle.startsWith('{')) return row.handle;
  const { p256dh = '', auth = '' } = readContents(row.xml);
  return { endpoint: row.handle, p256dh, auth };
}

/** Rows that expire at different times were listed between two effects of a renewal: the latest counts. */
function expiryOf(rows: readonly Registration[], floorAtMs: number): string | undefined {
  let latestAtMs = floorAtMs;
  let latest: string | undefined;
  for (const { expirationTime } of rows) {
    const atMs = expiryMsOf(expirationTime);
    if (expirationTime === undefined || atMs === undefined) return undefined;
    if (atMs < latestAtMs) continue;
    latestAtMs = atMs;
    latest = expirationTime;
  }
  return latest === undefined ? new Date(floorAtMs).toISOString() : withZone(latest);
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

/** JSON leaves out what is undefined. */
function unlessEmpty<T extends object>(value: T): T | undefined {
  return Object.keys(value).length === 0 ? undefined : value;
}
