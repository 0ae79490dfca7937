import { createHash } from 'node:crypto';
import type { Description, Row } from '../row.ts';
import type { Facts } from './facts.ts';
import { hubOf, type KnownRestore, type KnownRun } from './runs.ts';
import { readSnapshot, type Wanted } from './snapshots.ts';

/** A record, or a row, that the hub always fails at in some way. */
export function isPoisoned({ poison }: Facts, hub: string, row: Description & Partial<Pick<Row, 'id'>>): boolean {
  return poison.of(hub, row) !== undefined || (row.id !== undefined && poison.isUnlistable(hub, row.id));
}

/** What the hub has, or is to have, of the device is so. */
export function hasPoison(facts: Facts, run: KnownRun, { device, rows }: Pick<Wanted, 'device' | 'rows'>): boolean {
  const hub = hubOf(run);
  if (!facts.poison.isIn(hub)) return false;
  return [...rows, ...facts.rowsOfDevice(hub, device)].some((row) => isPoisoned(facts, hub, row));
}

/** A restore that ends because of such records has finished the rest. */
export function isRestFinished({ poison }: Facts, { doc }: KnownRestore): boolean {
  return poison.isIn(doc.hub.namespace) && doc.status === 'Failed' && doc.error?.code === 'RestoreIncomplete';
}

interface NamedFailure {
  readonly record: string;
  readonly code: string;
}

/** Failures that say that a hub does not take a record. */
const REFUSALS: ReadonlySet<string> = new Set(['Rejected', 'NotServed']);

/** What a restore has set aside is what its hub fails at, by name; and what is not in place is among that. */
export function judgeSetAside(facts: Facts, run: KnownRestore, failures: readonly NamedFailure[]): void {
  const { poison, truth } = facts;
  const names = new Set(failures.map(({ record }) => digestIn(record)));
  if ([...names].some((name) => name.startsWith('unknown'))) return;
  const hub = hubOf(run);
  const refused = new Set(
    truth
      .words()
      .flatMap(({ content }) => (content !== 'out' && poison.of(hub, content) !== undefined ? [nameOf(content)] : [])),
  );
  for (const { record, code } of failures) {
    if (!REFUSALS.has(code) || refused.has(digestIn(record))) continue;
    if (isBehindPoison(facts, run, digestIn(record))) facts.sometimes('setAsideForWhatHasItsId');
    else facts.violate('setAsideUnpoisoned', `${run.id}: ${record}, ${code}`);
  }
  if (failures.length > 0) facts.sometimes('poison set aside by name');
  const { conflict = 0, unknownOrigin = 0, goneInTarget = 0, keptLive = 0 } = run.doc.result?.counts ?? {};
  const unnamed = [...run.unplaced].filter((name) => !names.has(name));
  if (unnamed.length > conflict + unknownOrigin + goneInTarget + keptLive)
    facts.violate('notNamed', `${run.id}: ${unnamed.join()} not in place in ${hub}`);
}

/** It is asked for under its id, and in its hub a record lives there at which that fails: its device had another handle. */
function isBehindPoison(facts: Facts, run: KnownRestore, name: string): boolean {
  const { sourceHub, snapshotId } = run.doc.request;
  const own = readSnapshot(facts.container, sourceHub, snapshotId).filter((row) => nameOf(row) === name);
  const hub = hubOf(run);
  return facts
    .rowsOf(hub)
    .some((row) => own.some(({ id }) => id === row.id) && facts.poison.of(hub, row)?.isOfQuestions === true);
}

/** As the app names records, without the platform. */
export function nameOf({ installationId, handle }: Pick<Description, 'installationId' | 'handle'>): string {
  return installationId ?? createHash('sha256').update(handle).digest('hex').slice(0, 12);
}

function digestIn(record: string): string {
  return record.replace(/^installation |^device \S+ /, '');
}
