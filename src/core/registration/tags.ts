/**
 * A description's `Tags` text as a list: trimmed, no empties. A tag that the service makes, of an installation's or a
 * user's id, runs to its brace: an id may hold a comma, and no other tag a brace.
 */
export function splitTags(text: string): string[] {
  const tags: string[] = [];
  const parts = text.split(',');
  for (let index = 0; index < parts.length; index++) {
    let tag = (parts[index] ?? '').trim();
    if (isCutReserved(tag)) {
      const end = parts.findIndex((part, at) => at > index && part.trimEnd().endsWith('}'));
      if (end > index) {
        tag = parts
          .slice(index, end + 1)
          .join(',')
          .trim();
        index = end;
      }
    }
    if (tag !== '') tags.push(tag);
  }
  return tags;
}

function isCutReserved(part: string): boolean {
  return part.startsWith('$') && !part.endsWith('}') && /^\$(?:installationid|userid):\{/i.test(part);
}

/**
 * Earlier versions put an installation that had not appeared with this tag first. It never belongs to a device: rows are
 * compared and written without it.
 */
export const REPAIR_TAG = 'notification-hubs-dr-repair';

export function hasRepairTag(tags: readonly string[]): boolean {
  return tags.some(isRepairTag);
}

export function isRepairTag(tag: string): boolean {
  return tag.length === REPAIR_TAG.length && tag.toLowerCase() === REPAIR_TAG;
}

/** The id inside the tag `$InstallationId:{...}`: the row belongs to that installation. */
export function installationIdOf(tags: readonly string[]): string | undefined {
  return reservedTag(tags, '$installationid:{');
}

/** The id inside the tag `$UserId:{...}`. */
export function userIdOf(tags: readonly string[]): string | undefined {
  return reservedTag(tags, '$userid:{');
}

function reservedTag(tags: readonly string[], lowerCasePrefix: string): string | undefined {
  for (const tag of tags) {
    if (!tag.startsWith('$') || !tag.endsWith('}') || tag.length <= lowerCasePrefix.length + 1) continue;
    if (tag.slice(0, lowerCasePrefix.length).toLowerCase() !== lowerCasePrefix) continue;
    return tag.slice(lowerCasePrefix.length, -1);
  }
  return undefined;
}
