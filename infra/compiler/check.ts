import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { type Compiler, startCompiler } from './compiler.ts';
import { planted } from './planted.ts';

const infra = resolve(import.meta.dirname, '..');
const isToWrite = process.argv.includes('--write');

process.exitCode = await main();

async function main(): Promise<number> {
  await using compiler = startCompiler(process.env['BICEP'] ?? 'bicep');
  const sources = (await readdir(infra, { recursive: true }))
    .filter((file) => /\.bicep(param)?$/.test(file))
    .toSorted();
  const { said, files } = await make(compiler, infra, sources);
  const faults = [...said];
  if (isToWrite) {
    for (const [file, text] of files) await writeFile(join(infra, file), text);
  } else {
    const differences = [...(await differencesOf(infra, files)), ...(await strays(files))];
    faults.push(...differences);
    if (differences.length > 0) faults.push('If the change is meant: infra/check --write');
    for (const plant of planted) faults.push(...(await missed(compiler, plant)));
  }
  const done = isToWrite ? 'written' : `${planted.length} planted faults are found`;
  process.stdout.write(`${faults.length > 0 ? faults.join('\n') : `infra: no diagnostics; ${done}`}\n`);
  return faults.length > 0 ? 1 : 0;
}

interface Made {
  /** All that the compiler says, once: warnings count as errors do. */
  readonly said: ReadonlySet<string>;
  /** What is committed, by its path: sources as they are formatted, the template, what each shape deploys. */
  readonly files: ReadonlyMap<string, string>;
}

async function make(compiler: Compiler, folder: string, sources: readonly string[]): Promise<Made> {
  const said = new Set<string>();
  const files = new Map<string, string>();
  for (const file of sources) {
    const path = join(folder, file);
    try {
      if (file.endsWith('.bicep')) {
        const { template, diagnostics } = await compiler.compile(path);
        for (const line of diagnostics) said.add(line);
        if (file === 'main.bicep') files.set('main.json', template ?? '');
      } else {
        for (const line of await compiler.compileParameters(path)) said.add(line);
        if (file.startsWith('shapes/')) files.set(snapshotOf(file), inOrder(await compiler.snapshot(path)));
      }
      files.set(file, await compiler.format(path));
    } catch (error) {
      said.add(`${file}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return { said, files };
}

function snapshotOf(shape: string): string {
  return shape.replace(/\.bicepparam$/, '.snapshot.json');
}

/** The compiler gives outputs in another order each time. */
function inOrder(snapshot: string): string {
  const { outputs, ...others } = z
    .looseObject({ outputs: z.record(z.string(), z.unknown()) })
    .parse(JSON.parse(snapshot));
  const sorted = Object.fromEntries(Object.entries(outputs).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ ...others, outputs: sorted }, undefined, 2)}\n`;
}

async function differencesOf(folder: string, files: ReadonlyMap<string, string>): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [file, text] of files) {
    if ((await readFile(join(folder, file), 'utf8').catch(() => undefined)) === text) continue;
    const { stdout } = spawnSync('diff', ['-uN', file, '-'], { cwd: folder, input: text, encoding: 'utf8' });
    found.push(`infra/${file} is not what the compiler makes:\n${stdout}`);
  }
  return found;
}

/** Snapshots without a shape. */
async function strays(files: ReadonlyMap<string, string>): Promise<readonly string[]> {
  const there = (await readdir(join(infra, 'shapes'))).map((file) => `shapes/${file}`);
  return there.filter((file) => !files.has(file)).map((file) => `infra/${file} is of no shape`);
}

/** Nothing; or that the check does not see the fault, in a copy, for what it is. */
async function missed(compiler: Compiler, plant: (typeof planted)[number]): Promise<readonly string[]> {
  const copy = await mkdtemp(join(tmpdir(), 'planted-'));
  try {
    await cp(infra, copy, { recursive: true });
    const text = await readFile(join(infra, plant.file), 'utf8');
    if (!text.includes(plant.from)) return [`nothing was planted for: ${plant.what}`];
    await writeFile(join(copy, plant.file), text.replaceAll(plant.from, plant.to));
    const { said, files } = await make(compiler, copy, [plant.seenIn ?? plant.file]);
    const found = [...said, ...(await differencesOf(copy, files))].join('\n');
    return plant.found.test(found) ? [] : [`not found: ${plant.what}. What was said: ${found}`];
  } finally {
    await rm(copy, { recursive: true });
  }
}
