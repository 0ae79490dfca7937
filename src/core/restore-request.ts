import { z } from 'zod';
import { DrError } from './errors.ts';
import { parseJson, parseWith } from './parse.ts';

const requestSchema = z.strictObject({
  snapshot: z.string().min(1).max(64).default('latest'),
  target: z.enum(['secondary', 'primary']).default('secondary'),
  onConflict: z.enum(['keep']).default('keep'),
  dryRun: z.boolean().default(false),
  /** The target hub's name typed back: needed to restore into the hub the snapshot was taken from. */
  confirm: z.string().optional(),
});

/** What an on-call engineer asks for. An empty body asks for the latest good snapshot into the secondary hub. */
export type RestoreRequest = Readonly<z.infer<typeof requestSchema>>;

/** Reads the body of `POST /api/restores`. Throws `BadRequest`, `UnknownField` or `WrongTarget`. */
export function parseRestoreRequest(body: string): RestoreRequest {
  const source = {
    code: 'BadRequest',
    what: 'request body',
    hint:
      'Send nothing, or a JSON object with any of: snapshot ("latest" or an id of GET /api/snapshots), ' +
      'target ("secondary" or "primary"), onConflict ("keep"), dryRun (true or false), confirm (the target hub\'s name).',
  } as const;
  const json = body.trim() === '' ? {} : parseJson(body, source);
  refuseUnknownTarget(json);
  return parseWith(requestSchema, json, source);
}

function refuseUnknownTarget(json: unknown): void {
  if (typeof json !== 'object' || json === null || !('target' in json)) return;
  if (json.target === 'secondary' || json.target === 'primary') return;
  throw new DrError(
    'WrongTarget',
    'The target must be "secondary" or "primary": the two hubs the app is configured with. Leave it out for the secondary.',
    { target: 'target' },
  );
}
