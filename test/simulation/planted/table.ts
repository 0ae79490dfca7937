import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Hunted } from './hunt.ts';
import { type Change, isPlantName, plants, withChange } from './plants.ts';

const file = new URL('./seeds.json', import.meta.url);
const seedsSchema = z.record(z.string(), z.number());

/** By bug a seed that finds it, which CI runs; after a change to the app it may be another. */
export async function storedSeeds(): Promise<Readonly<Record<string, number>>> {
  return seedsSchema.parse(JSON.parse(await readFile(file, 'utf8')));
}

export async function storeSeeds(hunted: readonly Hunted[]): Promise<void> {
  const found = hunted.flatMap(({ bug, seed }) => (seed === undefined ? [] : [[bug, seed] as const]));
  const all = new Map([...Object.entries(await storedSeeds()), ...found]);
  const seeds = Object.keys(plants).flatMap((name) => (all.has(name) ? [[name, all.get(name)] as const] : []));
  await writeFile(file, `${JSON.stringify(Object.fromEntries(seeds), null, 2)}\n`);
}

/** Throws when the build has no place for one of the bugs: a module it changes, or a text in it. */
export async function checkPlaces(dist: string): Promise<void> {
  for (const change of Object.values(plants).flatMap(({ changes }): readonly Change[] => changes)) {
    withChange(change, await readFile(join(dist, 'src', change.file), 'utf8'));
  }
}

/** One line: the bug, its kind of violation, and the seed that found it. */
export function lineOf({ bug, seed, tried, others }: Hunted): string {
  const kind = isPlantName(bug) ? plants[bug].kind : '';
  const seen = [...others].sort((a, b) => b[1] - a[1]).map(([other, count]) => `${other} ${count}`);
  const answer = seed === undefined ? `NOT FOUND in ${tried} seeds` : `found by seed ${seed}, the ${tried}th`;
  const rest = seen.length === 0 ? '' : `; before that ${seen.join(', ')}`;
  return `${bug.padEnd(WIDTH)}  ${kind.padEnd(KIND_WIDTH)}  ${answer}${rest}`;
}

const WIDTH = Math.max(...Object.keys(plants).map(({ length }) => length));
const KIND_WIDTH = Math.max(...Object.values(plants).map(({ kind }) => kind.length));
