import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { BundledPackage } from './licences.ts';

const lockSchema = z.object({ packages: z.record(z.string(), z.object({ integrity: z.string().optional() })) });

/**
 * What is in the bundle, as CycloneDX. `npm sbom` lists what is installed, which is more, with the time and a random
 * number, which no second build repeats.
 */
export async function billOfMaterials(
  root: string,
  app: { readonly name: string; readonly version: string },
  packages: readonly BundledPackage[],
): Promise<object> {
  const lock = lockSchema.parse(JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')));
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', 'bom-ref': 'app', ...app } },
    components: packages.map(({ folder, name, version, license }) => ({
      type: 'library',
      'bom-ref': folder,
      name,
      version,
      hashes: hashesOf(lock.packages[folder]?.integrity),
      licenses: [/ (OR|AND|WITH) /.test(license) ? { expression: license } : { license: { id: license } }],
      purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    })),
  };
}

/** Of the archive that npm installed, as the lock file has it. */
function hashesOf(integrity = ''): object[] {
  const [, base64] = /^sha512-(.+)$/.exec(integrity) ?? [];
  return base64 === undefined ? [] : [{ alg: 'SHA-512', content: Buffer.from(base64, 'base64').toString('hex') }];
}
