import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** Of each folder an import that its rule forbids. */
const forbiddenImports: Readonly<Record<string, string>> = {
  'src/core': './run/run.ts',
  'src/core/bytes': '../errors.ts',
  'src/core/xml': '../registration/registration.ts',
  'src/core/registration': '../fingerprint/row.ts',
  'src/core/fingerprint': '../restore/plan/write.ts',
  'src/core/baseline': '../restore/plan/write.ts',
  'src/core/request': '../run/run.ts',
  'src/core/run': '../restore/plan/write.ts',
  'src/core/restore/plan': '../report.ts',
  'src/core/restore': '../readiness/card.ts',
  'src/core/dual': '../restore/report.ts',
  'src/core/feedback': '../restore/report.ts',
  'src/core/snapshot': '../restore/plan/write.ts',
  'src/core/readiness': '../restore/plan/write.ts',
  'src/app': '../hub/client.ts',
  'src/app/stored': '../runs/store.ts',
  'src/app/runs': '../readiness/card-store.ts',
  'src/app/listing': '../snapshots/store.ts',
  'src/app/snapshots': '../backup/churn.ts',
  'src/app/backup': '../restore/start.ts',
  'src/app/restore': '../drill/start.ts',
  'src/app/restore/outcomes': '../compare/selection.ts',
  'src/app/baseline': '../restore/start.ts',
  'src/app/restore/compare': '../apply/reconcile.ts',
  'src/app/restore/compare/earlier': '../../apply/reconcile.ts',
  'src/app/restore/imports': '../apply/reconcile.ts',
  'src/app/restore/apply': '../finish.ts',
  'src/app/dual': '../restore/start.ts',
  'src/app/feedback': '../restore/start.ts',
  'src/app/drill': '../readiness/card-store.ts',
  'src/app/erasure': '../restore/start.ts',
  'src/app/readiness': '../steps/run-step.ts',
  'src/app/steps': '../watchdog.ts',
  src: '../local/stack.ts',
  'src/hub': '../azure/blobs.ts',
  'src/hub/page': '../client.ts',
  'src/hub/access': '../client.ts',
  'src/hub/pace': '../transport/transport.ts',
  'src/hub/transport': '../client.ts',
  'src/hub/standard': '../../azure/blobs.ts',
  'src/azure': '../hub/client.ts',
  'src/redundant': '../app/restore/start.ts',
  'src/notify': '../settings/config.ts',
  'src/telemetry': '../app/app.ts',
  'src/settings': '../app/app.ts',
  'src/cli': '../core/errors.ts',
  'src/cli/commands': '../program.ts',
  'src/cli/parts': '../commands/status.ts',
  'src/console': '../core/errors.ts',
  'src/console/app': '../views/run.js',
  'src/console/parts': '../views/run.js',
  'src/console/views': '../../core/errors.ts',
  functions: '../src/hub/client.ts',
  'local/emulator': '../../src/core/errors.ts',
};

/** How time, chance and other threads could come into core and app without the World. */
const doors: readonly string[] = [
  'Date.now()',
  '[].map(Date.now)',
  "Date['now']()",
  'new Date()',
  'new Date',
  'Date()',
  'performance.now()',
  'Math.random()',
  'crypto.randomUUID()',
  'setTimeout(() => {}, 1)',
  'setInterval(() => {}, 1)',
  'setImmediate(() => {})',
  'AbortSignal.timeout(1)',
  "process.env['HOME']",
  'globalThis.setTimeout(() => {}, 1)',
];
const doorImports = ['node:timers', 'node:timers/promises', 'node:worker_threads', 'node:process', 'node:perf_hooks'];

const allowed = 'new Date(Date.parse("2026-01-01T00:00:00Z"))';
const root = fileURLToPath(new URL('../../', import.meta.url));

/** The names of the files in which lint finds what it must not contain. */
async function lint(files: ReadonlyMap<string, string>): Promise<ReadonlySet<string>> {
  const folder = await mkdtemp(join(tmpdir(), 'planted-'));
  try {
    for (const name of ['biome.json', 'lint']) await cp(join(root, name), join(folder, name), { recursive: true });
    for (const [name, content] of files) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), content);
    }
    const rules = ['--only=style/noRestrictedImports', '--only=style/noRestrictedGlobals', '--only=plugin'];
    const options = ['--vcs-enabled=false', '--reporter=github', '--max-diagnostics=none', '--colors=off'];
    const biome = join(root, 'node_modules/.bin/biome');
    const child = spawn(biome, ['lint', ...options, ...rules, '.'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    const [output] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return new Set(
      [...output.matchAll(/::error title=[^,]*,file=([^,]+),/g)].map(([, file = '']) => relative(file, folder)),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

function relative(file: string, folder: string): string {
  return file.slice(file.indexOf(folder) + folder.length + 1);
}

const planted = new Map<string, string>();
for (const [folder, name] of Object.entries(forbiddenImports)) {
  const extension = /^src\/console\//.test(folder) ? 'js' : 'ts';
  planted.set(`${folder}/import.${extension}`, `export * from '${name}';\n`);
}
for (const folder of ['src/app/runs', 'src/app/stored', 'src/core/run']) {
  for (const [index, door] of doors.entries())
    planted.set(`${folder}/door-${index}.ts`, `export const door = ${door};\n`);
  for (const [index, name] of doorImports.entries())
    planted.set(`${folder}/door-import-${index}.ts`, `export * from '${name}';\n`);
}
planted.set('src/app/app.ts', "export * from './runs/store.ts';\n");
planted.set('src/app/stored/random.ts', "export { randomUUID } from 'node:crypto';\n");
planted.set('src/app/stored/threads.ts', "export { gzip } from 'node:zlib';\n");
planted.set('src/core/buffer.ts', 'export const buffer = Buffer.alloc(1);\n');

test('every import rule and every door of chance is held by lint', async () => {
  const fine = ['src/app/fine.ts', 'src/core/fine.ts'];
  const found = await lint(
    new Map([...planted, ...fine.map((name) => [name, `export const at = ${allowed};\n`] as const)]),
  );
  expect([...found].sort()).toEqual([...planted.keys()].sort());
});

test('every folder of the app and of the emulator has its rule', async () => {
  const folders = new Set<string>();
  for (const top of ['src', 'functions', 'local/emulator']) {
    for (const entry of await readdir(join(root, top), { recursive: true, withFileTypes: true })) {
      if (/(?<!\.d)\.[jt]s$/.test(entry.name)) folders.add(entry.parentPath.slice(root.length).replace(/\/$/, ''));
    }
  }
  expect(Object.keys(forbiddenImports).sort()).toEqual([...folders].sort());
});

test('no folder has more entries than a reader takes in at a glance', async () => {
  const entries = new Map<string, number>();
  for (const { parentPath } of await readdir(join(root, 'src'), { recursive: true, withFileTypes: true })) {
    const folder = parentPath.slice(root.length);
    entries.set(folder, (entries.get(folder) ?? 0) + 1);
  }
  const large = [...entries].filter(([folder, count]) => count > (/^src\/(app|core)\b/.test(folder) ? 18 : 20));
  expect(large).toEqual([]);
});
