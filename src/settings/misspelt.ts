import type { Environment } from './reader.ts';
import { settings, storageSetting } from './settings.ts';

/** A sentence for every variable whose name is nearly one of ours: it has no effect, and its owner thinks it has. */
export function misspeltSettings(env: Environment): readonly string[] {
  const sentences: string[] = [];
  for (const name of Object.keys(env).sort()) {
    if (knownNames.has(name) || name.startsWith(`${storageSetting}__`) || env[name] === undefined) continue;
    const meant = names.find((known) => isNear(name.toUpperCase(), known));
    if (meant !== undefined) sentences.push(`The setting ${name} has no effect; is ${meant} meant?`);
  }
  return sentences;
}

const names: readonly string[] = settings.map((setting) => setting.name);
const knownNames: ReadonlySet<string> = new Set([...names, `AzureWebJobs${storageSetting}`]);

/** Up to two letters wrong, missing, added or swapped with their neighbour; `-` and `.` count as `_`. */
function isNear(name: string, known: string): boolean {
  return Math.abs(name.length - known.length) <= 2 && distance(name.replaceAll(/[-.]/g, '_'), known) <= 2;
}

/** Optimal string alignment distance, by rows of the usual table. */
function distance(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const isEqual = a[row - 1] === b[column - 1];
      const isSwap = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const options = [
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (isEqual ? 0 : 1),
        isSwap ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY,
      ];
      current.push(Math.min(...options));
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
