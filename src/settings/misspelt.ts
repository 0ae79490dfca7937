import { distance } from 'fastest-levenshtein';
import type { Environment } from './reader.ts';
import { settings, storageSetting } from './settings.ts';

/** A sentence for every variable whose name is nearly one of ours: it has no effect, though its owner expects one. */
export function misspeltSettings(env: Environment): readonly string[] {
  const sentences: string[] = [];
  for (const name of Object.keys(env).sort()) {
    if (knownNames.has(name) || name.startsWith(`${storageSetting}__`) || env[name] === undefined) continue;
    const meant = names.find((known) => isNear(name.toUpperCase(), known));
    if (meant !== undefined) sentences.push(`The setting ${name} has no effect; did you mean ${meant}?`);
  }
  return sentences;
}

const names: readonly string[] = settings.map((setting) => setting.name);
const knownNames: ReadonlySet<string> = new Set([...names, `AzureWebJobs${storageSetting}`]);

/** Up to two letters wrong, missing or added, or two neighbours swapped; `-` and `.` count as `_`. */
function isNear(name: string, known: string): boolean {
  return Math.abs(name.length - known.length) <= 2 && distance(name.replaceAll(/[-.]/g, '_'), known) <= 2;
}
