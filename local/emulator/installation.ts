import { z } from 'zod';
import { type PlatformSpec, platformOfInstallation } from './platforms.ts';
import { type Description, handleOf, sortTags } from './row.ts';
import { ServiceError } from './service-error.ts';
import type { HubSwitches } from './switches.ts';
import { hasInvalidTag, invalidTagText, isUserId } from './tags.ts';
import { hasForbiddenCharacter } from './xml-text.ts';

const text = z.string().nullish();
const tagList = z.array(z.string().nullable()).nullish();
const textMap = z.record(z.string(), z.string()).nullish();
const channel = z.union([z.string(), z.object({ endpoint: z.string(), p256dh: z.string(), auth: z.string() })]);
const template = z.preprocess(
  lowerKeys,
  z.object({ body: text, headers: textMap, expiry: text, tags: tagList }).transform((given) => ({
    body: given.body ?? '',
    headers: given.headers ?? {},
    expiry: given.expiry ?? undefined,
    tags: present(given.tags),
  })),
);
const templates = z.record(z.string(), template).nullish();
const tile = z.preprocess(
  lowerKeys,
  z.object({ pushchannel: z.string(), tags: tagList, templates }).transform((given) => ({
    pushChannel: given.pushchannel,
    tags: present(given.tags),
    templates: given.templates ?? {},
  })),
);

/** Property names are read in any letter case (`userID` is common), nulls as absent. */
const installationSchema = z.preprocess(
  lowerKeys,
  z
    .object({
      platform: text,
      pushchannel: channel.nullish(),
      expirationtime: text,
      userid: text,
      tags: tagList,
      pushvariables: z.record(z.string(), z.unknown()).nullish(),
      templates,
      secondarytiles: z.record(z.string(), tile).nullish(),
    })
    .transform((given) => ({
      platform: (given.platform ?? '').toLowerCase(),
      pushChannel: given.pushchannel ?? '',
      expirationTime: normaliseTime(given.expirationtime),
      userId: given.userid ?? undefined,
      tags: present(given.tags),
      pushVariables: given.pushvariables ?? {},
      templates: given.templates ?? {},
      secondaryTiles: given.secondarytiles ?? {},
    })),
);

/** An installation as the hub keeps it; empty collections mean absent ones. */
export type Installation = z.output<typeof installationSchema> & { readonly installationId: string };
type Template = Installation['templates'][string];

const never = '9999-12-31T23:59:59.9999999Z';

/**
 * Reads and checks the body of a PUT, or an installation after a patch.
 * @throws ServiceError 400 with the service's texts where they are known.
 */
export function parseInstallation(installationId: string, body: unknown): Installation {
  const parsed = installationSchema.safeParse(body);
  if (!parsed.success) throw new ServiceError(400, 'The supplied installation payload is invalid.');
  const installation = { ...parsed.data, installationId };
  const fault = findFault(installation);
  if (fault !== undefined)
    throw new ServiceError(400, `Installation validation failed with following error(s):${fault}`);
  return installation;
}

/** @throws ServiceError 400 for a browser's channel that is not in the form the hub takes. */
export function requireChannelForm(
  { platform, pushChannel }: Installation,
  taken: HubSwitches['browserChannel'],
): void {
  if (taken === 'any' || platform !== 'browser' || (typeof pushChannel === 'string') === (taken === 'text')) return;
  throw new ServiceError(400, 'The supplied installation payload is invalid.');
}

/** The JSON of a GET, keys in the recorded order; also the form in which the hub stores and compares installations. */
export function renderInstallation(installation: Installation): string {
  const { templates, secondaryTiles } = installation;
  return JSON.stringify({
    installationId: installation.installationId,
    pushChannel: installation.pushChannel,
    pushChannelExpired: false,
    platform: installation.platform,
    expirationTime: installation.expirationTime ?? never,
    userId: installation.userId,
    tags: filled(sortTags(installation.tags)),
    pushVariables: filled(installation.pushVariables),
    templates: filled(mapValues(templates, renderTemplate)),
    secondaryTiles: filled(
      mapValues(secondaryTiles, (_, { pushChannel, tags, templates: own }) => ({
        pushChannel,
        tags: filled(sortTags(tags)),
        templates: filled(mapValues(own, renderTemplate)),
      })),
    ),
  });
}

/** Undoes {@link renderInstallation}: a template's implicit tag may hold what a tag may not. */
export function readStored(json: string): Installation {
  const body: unknown = JSON.parse(json);
  const { installationId } = z.object({ installationId: z.string() }).parse(body);
  const { secondaryTiles, ...stored } = installationSchema.parse(body);
  const tiles = mapValues(secondaryTiles, (_, tile) => ({ ...tile, templates: withoutImplicit(tile.templates) }));
  return { ...stored, templates: withoutImplicit(stored.templates), secondaryTiles: tiles, installationId };
}

function withoutImplicit(given: Installation['templates']): Installation['templates'] {
  return mapValues(given, (name, each) => ({ ...each, tags: each.tags.filter((tag) => tag !== name) }));
}

/** One registration derived from an installation; `key` is unique within the installation. */
export interface DerivedRegistration {
  readonly key: string;
  readonly description: Description;
}

/**
 * The registrations of an installation: a native one, one for each template, one for each template of a tile, and where
 * tiles have them a native one for each tile.
 */
export function derive(installation: Installation, hasNativeTiles = false): DerivedRegistration[] {
  const spec = platformOfInstallation(installation.platform);
  if (spec === undefined) return [];
  const common = [`$InstallationId:{${installation.installationId}}`, ...installation.tags];
  if (installation.userId !== undefined) common.push(`$UserId:{${installation.userId}}`);
  const variables = filled(installation.pushVariables);
  const base = { platform: spec.name, pushVariables: variables && JSON.stringify(variables), headers: [] };
  const texts = handleTexts(spec, installation.pushChannel);
  const derived: DerivedRegistration[] = [
    { key: 'native', description: { ...base, isTemplate: false, tags: common, texts } },
  ];
  const addTemplate = (
    key: string,
    name: string,
    from: Template,
    own: readonly string[],
    handle: typeof texts,
  ): void => {
    const tags = [...common, ...own, ...from.tags, name];
    const withTemplate = new Map([...handle, ['BodyTemplate', from.body], ['TemplateName', name]]);
    if (from.expiry !== undefined && spec.name === 'Apple') withTemplate.set('Expiry', from.expiry);
    const headers = Object.entries(from.headers);
    derived.push({ key, description: { ...base, isTemplate: true, tags, texts: withTemplate, headers } });
  };
  for (const [name, each] of Object.entries(installation.templates)) addTemplate(`t:${name}`, name, each, [], texts);
  for (const [tileId, each] of Object.entries(installation.secondaryTiles)) {
    // Not recorded anywhere: that a tile shows as template rows with its own channel and name is the best guess.
    const handle = new Map([...handleTexts(spec, each.pushChannel), ['SecondaryTileName', tileId]]);
    if (hasNativeTiles) {
      const tags = [...common, ...each.tags];
      derived.push({ key: `s:${tileId}`, description: { ...base, isTemplate: false, tags, texts: handle } });
    }
    for (const [name, one] of Object.entries(each.templates)) {
      addTemplate(`s:${tileId}:${name}`, name, one, each.tags, handle);
    }
  }
  return derived;
}

export function handleOfInstallation({ platform, pushChannel }: Installation): string {
  const spec = platformOfInstallation(platform);
  return spec === undefined ? '' : handleOf(spec, handleTexts(spec, pushChannel));
}

function handleTexts(spec: PlatformSpec, pushChannel: Installation['pushChannel']): Map<string, string> {
  if (spec.name === 'Browser') {
    const parts = typeof pushChannel === 'string' ? parseBrowserChannel(pushChannel) : pushChannel;
    return new Map([
      ['Endpoint', parts?.endpoint ?? ''],
      ['P256DH', parts?.p256dh ?? ''],
      ['Auth', parts?.auth ?? ''],
    ]);
  }
  const single = typeof pushChannel === 'string' ? pushChannel : pushChannel.endpoint;
  if (spec.name !== 'Baidu') return new Map([[spec.handle[0] ?? '', single]]);
  const dash = single.indexOf('-');
  return new Map([
    ['BaiduUserId', single.slice(0, dash)],
    ['BaiduChannelId', single.slice(dash + 1)],
  ]);
}

function parseBrowserChannel(text: string): { endpoint: string; p256dh: string; auth: string } | undefined {
  try {
    const parsed = channel.safeParse(JSON.parse(text));
    return parsed.success && typeof parsed.data === 'object' ? parsed.data : undefined;
  } catch {
    // Not JSON, so not a browser channel: the caller answers 400.
    return undefined;
  }
}

function findFault(installation: Installation): string | undefined {
  const spec = platformOfInstallation(installation.platform);
  if (spec === undefined) return "\r\n'Platform' is not supported.";
  if ([...handleTexts(spec, installation.pushChannel).values()].some((part) => part === '')) {
    const parameter = `${spec.handle[0]?.charAt(0).toLowerCase()}${spec.handle[0]?.slice(1)}`;
    return `\r\n'PushChannel' is required.\r\nValue cannot be null.\r\nParameter name: ${parameter}.`;
  }
  const groups = [installation.templates, ...Object.values(installation.secondaryTiles).map((each) => each.templates)];
  const tags = [
    ...installation.tags,
    ...Object.values(installation.secondaryTiles).flatMap((each) => each.tags),
    ...groups.flatMap((group) => Object.values(group).flatMap((each) => each.tags)),
  ];
  const invalid = tags.filter(hasInvalidTag);
  if (invalid.length > 0) return `\n${invalidTagText(invalid)}`;
  if (installation.userId !== undefined && !isUserId(installation.userId)) return "\n'UserId' is invalid.";
  const bodies = groups.flatMap((group) => Object.entries(group).flatMap(([name, { body }]) => [name, body]));
  return bodies.some(hasForbiddenCharacter) ? '\nA template has a character that cannot be stored.' : undefined;
}

function renderTemplate(name: string, { body, headers, expiry, tags }: Template): object {
  return { body, headers: filled(headers), expiry, tags: sortTags([...tags, name]) };
}

function normaliseTime(given: string | null | undefined): string | undefined {
  if (given === null || given === undefined || given === '' || given.startsWith('9999-')) return undefined;
  const zoned = /(Z|[+-]\d\d:?\d\d)$/i.test(given) ? given : `${given}Z`;
  if (Number.isNaN(Date.parse(zoned))) return undefined;
  return /^[\d-]+T[\d:]+(\.\d+)?Z$/.test(zoned) ? zoned : new Date(zoned).toISOString();
}

function lowerKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key.toLowerCase(), each]));
}

function present(tags: readonly (string | null)[] | null | undefined): string[] {
  return (tags ?? []).filter((tag) => tag !== null);
}

/** Undefined for an empty list or object, so that JSON leaves it out. */
function filled<T extends object>(collection: T): T | undefined {
  return Object.keys(collection).length === 0 ? undefined : collection;
}

function mapValues<T, U>(from: Readonly<Record<string, T>>, to: (key: string, value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(from).map(([key, value]) => [key, to(key, value)]));
}
