import { z } from 'zod';
import { DrError } from '../errors.ts';
import { joinHandle } from '../registration/elements.ts';
import { type Identity, parseRegistration, withId } from '../registration/registration.ts';
import type { Intent } from './intent.ts';
import { patched } from './patch.ts';

/**
 * What an intended write would make of its device, as far as it says that: as rows that tell whom they belong to. Of a
 * patch only what it changes is known, and the device's id.
 */
export function intendedRows({ device, state }: Pick<Intent, 'device' | 'state'>): readonly Identity[] {
  const { kind, id } = device;
  if (kind === 'registration') return [state.kind === 'put' ? registrationRow(state.body, id) : bare(id)];
  if (state.kind === 'delete') return installationRows({}, id);
  return installationRows(state.kind === 'put' ? JSON.parse(state.body) : patched({}, state.operations), id);
}

function bare(id: string): Identity {
  return { id, tags: [], handle: '' };
}

function registrationRow(xml: string, id: string): Identity {
  try {
    return parseRegistration(withId(xml, id));
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    // No hub takes a description that cannot be read: it is known by its id alone.
    return bare(id);
  }
}

/** A field of another form is none: no hub takes it. */
const tags = z.array(z.string()).catch([]);
const channel = z.union([z.string(), z.looseObject({ endpoint: z.string() })]).catch('');
const templates = z.record(z.string(), z.looseObject({ tags })).catch({});
const tile = z.looseObject({ pushChannel: channel, tags, templates });
const installation = tile.extend({
  platform: z.string().catch(''),
  userId: z.string().optional().catch(undefined),
  secondaryTiles: z.record(z.string(), tile).catch({}),
});

function installationRows(body: unknown, installationId: string): readonly Identity[] {
  const { platform, userId, secondaryTiles, ...main } = installation.parse(body);
  const made = [`$InstallationId:{${installationId}}`, ...(userId === undefined ? [] : [`$UserId:{${userId}}`])];
  return [main, ...Object.values(secondaryTiles)].map((part) => ({
    id: '',
    handle: handleOf(part.pushChannel, platform),
    tags: [...made, ...part.tags, ...Object.values(part.templates).flatMap((template) => template.tags)],
  }));
}

/** As rows have it: of a browser the endpoint, which may come in an object written as text; of Baidu its two parts. */
function handleOf(given: z.infer<typeof channel>, platform: string): string {
  if (typeof given === 'object') return given.endpoint;
  const text = given.trim();
  const parts = /^(.*)-([^-]*)$/.exec(text);
  if (platform.toLowerCase() === 'baidu' && parts !== null) return joinHandle(parts[1] ?? '', parts[2] ?? '');
  return /^\{.*"endpoint"\s*:\s*"([^"]+)"/s.exec(text)?.[1] ?? text;
}
