import { z } from 'zod';
import { DrError } from '../errors.ts';
import { bodySource, parseJson, parseWith, type Source } from '../parse.ts';
import { groupOf, orderSchema, selectionSchema, selectorOf } from './selection.ts';

const MAX_NOTE = 200;

/** Who asks and why, on one line: shown in the run and its report. */
export const noteSchema = z
  .string()
  .max(MAX_NOTE, `must have at most ${MAX_NOTE} characters`)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u, 'must be printable characters on one line');

const requestSchema = z.strictObject({
  snapshot: z.string().min(1).max(64).default('latest'),
  /** `standby`: the hub that is not in use, whichever the settings call it. */
  target: z.enum(['standby', 'secondary', 'primary']).default('standby'),
  /**
   * What differs in the target and is not provably older: `overwrite` needs `confirm`. Unless it is said, a failback's
   * source wins.
   */
  onConflict: z.enum(['keep', 'overwrite']).optional(),
  /**
   * What the source no longer holds and is provably ours. Said, `withdraw` takes the snapshot's word for it while the
   * source does not answer.
   */
  leftovers: z.enum(['withdraw', 'keep']).optional(),
  /** Creates again what went from the target, or from the source since the snapshot. */
  resurrect: z.boolean().optional(),
  /** Makes the target the hub in use when all that can be written is. */
  activate: z.boolean().optional(),
  dryRun: z.boolean().default(false),
  only: selectionSchema.optional(),
  order: orderSchema.optional(),
  note: noteSchema.optional(),
  /** `namespace/hub` of the target typed back: needed to write to the hub in use, or to the snapshot's own. */
  confirm: z.string().optional(),
});

const retrySchema = requestSchema.pick({ confirm: true });

const rollbackSchema = z.strictObject({
  confirm: z.string().optional(),
  note: noteSchema.optional(),
  /** Leaves what newer restores wrote, where there are any; without it they have to be rolled back first. */
  keepNewer: z.boolean().optional(),
});

/** What an on-call engineer asks for. An empty body asks for the latest good snapshot of the hub in use into the other. */
export type RestoreRequest = Readonly<z.infer<typeof requestSchema>>;
/** `confirm` is needed where the target came into use since its restore began. */
export type RetryRequest = Readonly<z.infer<typeof retrySchema>>;
/** `confirm` is `namespace/hub` of the hub from which devices are to be removed. */
export type RollbackRequest = Readonly<z.infer<typeof rollbackSchema>>;

/** Reads the body of `POST /api/restores`. Throws `BadRequest`, `UnknownField` or `WrongTarget`. */
export function parseRestoreRequest(body: string): RestoreRequest {
  const source = bodySource(
    'Send nothing, or a JSON object with any of: snapshot ("latest" or the id of one), ' +
      'target ("standby", "secondary" or "primary"), onConflict ("keep" or "overwrite"), ' +
      'leftovers ("withdraw" or "keep"), resurrect, activate and dryRun (true or false), ' +
      'only ({platforms, tags, installationIds, userIds}), order (a list of {platforms, tags}), note (text), ' +
      'confirm (namespace/hub of the target).',
  );
  const json = parseBody(body, source);
  refuseUnknownTarget(json);
  const request = parseWith(requestSchema, json, source);
  // Their tag expressions are read here, so that a wrong one is refused before anything begins.
  selectorOf(request.only);
  groupOf(request.order);
  return request;
}

/** Reads the body of `POST /api/restores/{id}/retry`. Throws `BadRequest` or `UnknownField`. */
export function parseRetryRequest(body: string): RetryRequest {
  const hint = 'Send nothing, or a JSON object with confirm (namespace/hub of the target).';
  const source = bodySource(hint);
  return parseWith(retrySchema, parseBody(body, source), source);
}

/** Reads the body of `POST /api/restores/{id}/rollback`. Throws `BadRequest` or `UnknownField`. */
export function parseRollbackRequest(body: string): RollbackRequest {
  const source = bodySource(
    'Send a JSON object with confirm (namespace/hub of the target), ' +
      'and, if you like, note (text) and keepNewer (true or false).',
  );
  return parseWith(rollbackSchema, parseBody(body, source), source);
}

export function parseBody(body: string, source: Source): unknown {
  return body === '' ? {} : parseJson(body, source);
}

function refuseUnknownTarget(json: unknown): void {
  if (typeof json !== 'object' || json === null || !('target' in json)) return;
  if (json.target === 'standby' || json.target === 'secondary' || json.target === 'primary') return;
  const message =
    'The target must be "standby", "secondary" or "primary". Leave it out for the standby, the hub that is not in use.';
  throw new DrError('WrongTarget', message, { target: 'target' });
}
