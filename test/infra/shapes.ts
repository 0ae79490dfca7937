import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const root = new URL('../../', import.meta.url);

const resourceSchema = z.looseObject({
  id: z.string(),
  type: z.string(),
  name: z.string(),
  apiVersion: z.string(),
  location: z.string().optional(),
  tags: z.record(z.string(), z.string()).default({}),
});
/** A resource as Azure would get it. What is known at run time only is an expression, `[…]`. */
export type Resource = z.infer<typeof resourceSchema>;

const snapshotSchema = z.object({
  predictedResources: z.array(resourceSchema),
  diagnostics: z.array(z.unknown()),
  outputs: z.record(z.string(), z.unknown()),
});

/** What one set of parameters deploys, as the compiler predicts it. */
export interface Shape {
  readonly name: string;
  /** Its parameters, as source. */
  readonly source: string;
  readonly resources: readonly Resource[];
  readonly diagnostics: readonly unknown[];
  readonly outputs: Readonly<Record<string, unknown>>;
}

export function readShape(name: string): Shape {
  const snapshot = snapshotSchema.parse(JSON.parse(readText(`infra/shapes/${name}.snapshot.json`)));
  const { predictedResources: resources, diagnostics, outputs } = snapshot;
  return { name, source: readText(`infra/shapes/${name}.bicepparam`), resources, diagnostics, outputs };
}

/** All shapes of the deployment; the keys are one of their own. */
export const shapes: readonly Shape[] = readdirSync(new URL('infra/shapes', root))
  .flatMap((file) => /^(.+)\.bicepparam$/.exec(file)?.[1] ?? [])
  .filter((name) => name !== 'keys')
  .map(readShape);

export function readText(file: string): string {
  return readFileSync(new URL(file, root), 'utf8');
}

export function ofType(shape: Shape, type: string): readonly Resource[] {
  return shape.resources.filter((resource) => resource.type === type);
}

const objectSchema = z.record(z.string(), z.unknown());

/** What is at `properties.sku.name`, say; `undefined` where there is nothing. */
export function at(value: unknown, path: string): unknown {
  let found = value;
  for (const key of path.split('.')) found = Array.isArray(found) ? found[Number(key)] : keysOf(found)[key];
  return found;
}

export function keysOf(value: unknown): Readonly<Record<string, unknown>> {
  return objectSchema.safeParse(value).data ?? {};
}

export function listAt(value: unknown, path: string): readonly unknown[] {
  const found = at(value, path);
  return Array.isArray(found) ? found : [];
}

/** The settings of each app of a shape. */
export function settingsOf(shape: Shape): readonly Readonly<Record<string, unknown>>[] {
  return ofType(shape, 'Microsoft.Web/sites/config')
    .filter(({ name }) => name.endsWith('/appsettings'))
    .map((resource) => keysOf(resource['properties']));
}

/** The app's functions by their trigger, as `functions/` registers them. */
export function readFunctions(): Readonly<Record<'reading' | 'changing' | 'open' | 'queue' | 'timer', string[]>> {
  const found = { reading: [], changing: [], open: [], queue: [], timer: [] } satisfies Record<string, string[]>;
  const kinds: Readonly<Record<string, string[]>> = found;
  for (const file of readdirSync(new URL('functions', root))) {
    const source = readText(`functions/${file}`);
    const [, kind, name = '', method] =
      /\b(route|listRoute|steps|app\.storageQueue|app\.timer|app\.http)\('(\w+)'(?:, '(GET|POST|PUT|DELETE)')?/.exec(
        source,
      ) ?? [];
    kinds[readsByPost.has(name) ? 'reading' : kindOf(kind, method)]?.push(name);
  }
  return found;
}

/** Asked with POST, since they call other services; they change nothing. */
const readsByPost: ReadonlySet<string> = new Set(['compareMetadata']);

function kindOf(kind: string | undefined, method: string | undefined): string {
  switch (kind) {
    case 'route':
      return method === 'GET' ? 'reading' : 'changing';
    case 'listRoute':
      return 'reading';
    case 'app.storageQueue':
    case 'steps':
      return 'queue';
    case 'app.timer':
      return 'timer';
    case 'app.http':
      return 'open';
    default:
      return 'none';
  }
}
