import { canonicalForm, canonicalRow } from './canonical.ts';
import { distinctRows, isUnwritable } from './distinct.ts';
import { type Content, isHandleElement } from './elements.ts';
import { ownTags, readInstallation } from './installation.ts';
import { isInstallation, type RecordOfRows } from './record.ts';
import type { Registration } from './registration.ts';
import { readDescription } from './usual.ts';

/**
 * Whether an installation's rows are not all there: each has a native row, but a listing may have passed over it, or
 * come while the installation was being written. That a template is missing does not show.
 */
export function isPartial({ key, rows }: RecordOfRows<Pick<Registration, 'isTemplate'>>): boolean {
  return isInstallation({ key }) && rows.every(({ isTemplate }) => isTemplate);
}

/**
 * The canonical forms of the rows that a hub lists once a record has been restored. An installation is restored as a
 * whole: its native row is there then, and each template's row has what is the installation's own.
 */
export function expectedForms({ key, rows }: RecordOfRows, chosen = distinctRows(rows)): ReadonlySet<string> {
  return new Set(isInstallation({ key }) ? expectedOf([...chosen.values()]) : chosen.keys());
}

/** Whether what lives in a target is what restoring the record gives. */
export function isInPlace(record: RecordOfRows, live: RecordOfRows): boolean {
  const expected = expectedForms(record);
  const forms = distinctRows(live.rows);
  return forms.size === expected.size && [...expected].every((form) => forms.has(form));
}

/** Whether some of a plain record's rows live, and nothing else: a write that stopped half way leaves it so. */
export function isPartlyInPlace(record: RecordOfRows, live: RecordOfRows): boolean {
  const expected = expectedForms(record);
  return !isInstallation(record) && [...distinctRows(live.rows).keys()].every((form) => expected.has(form));
}

function expectedOf(rows: readonly Registration[]): string[] {
  const { main, source, tags } = readInstallation(rows);
  if (source === undefined) return [];
  const reserved = source.tags.filter((tag) => tag.startsWith('$'));
  const own = readDescription(source.xml).elements.filter(({ name }) => isOfDevice(source.platform, name));
  const describe = (type: string, more: readonly string[], rest: readonly Content[]): string => {
    const text = [...reserved, ...tags, ...more].join(',');
    const listed = { name: 'Tags', text, children: [], attributes: [] };
    return canonicalForm({
      type: `${source.platform}${type}RegistrationDescription`,
      elements: [listed, ...own, ...rest],
    });
  };
  const forms = rows.filter((row) => !main.includes(row) && !isUnwritable(row)).map(({ xml }) => canonicalRow(xml));
  if (source.isTemplate) forms.push(describe('', [], []));
  for (const row of main) {
    if (isUnwritable(row)) continue;
    const rest = readDescription(row.xml).elements.filter(
      ({ name }) => name !== 'Tags' && !isOfDevice(row.platform, name),
    );
    forms.push(describe(row.isTemplate ? 'Template' : '', ownTags(row.tags), rest));
  }
  return forms;
}

/** The elements that all rows of an installation have alike, but for its tags. */
function isOfDevice(platform: string, name: string): boolean {
  return name === 'PushVariables' || name === 'P256DH' || name === 'Auth' || isHandleElement(platform, name);
}
