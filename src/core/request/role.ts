import { z } from 'zod';
import { bodySource, parseWith } from '../parse.ts';
import { noteSchema, parseBody } from './restore.ts';

const roleRequestSchema = z.strictObject({
  /** `primary`, `secondary` or `namespace/hub`. */
  active: z.string().min(1).max(256),
  /** `namespace/hub` of it typed back. */
  confirm: z.string().optional(),
  /** Nothing was restored into it, and it holds its devices all the same. */
  force: z.boolean().optional(),
  note: noteSchema.optional(),
});

/** Which hub devices and backends use from now on. */
export type RoleRequest = Readonly<z.infer<typeof roleRequestSchema>>;

/** Reads the body of `POST /api/role`. Throws `BadRequest` or `UnknownField`. */
export function parseRoleRequest(body: string): RoleRequest {
  const source = bodySource(
    'Send a JSON object with active ("primary", "secondary" or namespace/hub) and confirm (namespace/hub of it), ' +
      'and if you like force (true or false) and note (text).',
  );
  return parseWith(roleRequestSchema, parseBody(body, source), source);
}
