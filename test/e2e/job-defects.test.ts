import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

const run = promisify(execFile);
const drill = fileURLToPath(new URL('../../local/drill.ts', import.meta.url));

const reportSchema = z.object({ verdict: z.string(), source: z.enum(['list', 'export']), imported: z.number() });

const roads = [
  ['export', 'direct'],
  ['list', 'import'],
  ['export', 'import'],
] as const;

// What the jobs of both hubs do: the values of the drill's `--job`.
const defects = ['completes', 'stuck', 'fails', 'does-nothing', 'cut-short', 'lossy'] as const;

describe.each(roads)('backups by %s, restores by %s', (source, writer) => {
  test.each(defects)(
    'with jobs of the kind "%s", every device gets the message exactly once',
    async (job) => {
      const road = ['--source', source, '--writer', writer, '--job', job];
      const options = ['--devices', '500', '--seed', '21', '--story', 'disaster', ...road, '--json'];
      const { stdout } = await run(process.execPath, [drill, ...options]);
      const report = reportSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
      expect(report.verdict).toBe('pass');
      expect(report.source).toBe(source === 'export' && job === 'completes' ? 'export' : 'list');
      if (writer === 'import' && job === 'completes') expect(report.imported).toBeGreaterThan(0);
      if (writer === 'direct') expect(report.imported).toBe(0);
    },
    600_000,
  );
});
