import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { noticesOf } from './licences.ts';

/** Bundles the terminal tool of the project in `root` into one file that runs with plain Node from any folder. */
export async function buildCli(root: string, outfile: string): Promise<void> {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(root, 'src/cli/main.ts')],
    absWorkingDir: root,
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    banner: { js: '#!/usr/bin/env node' },
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    write: false,
  });
  const notices = (await noticesOf(root, metafile)).replaceAll('*/', '* /');
  const code = outputFiles.map(({ text }) => text).join('');
  await writeFile(outfile, notices === '' ? code : `${code}/*\n${notices}*/\n`, { mode: 0o755 });
}
