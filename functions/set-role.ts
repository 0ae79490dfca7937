import { declareRole } from '../src/app/runs/declare-role.ts';
import { parseRoleRequest } from '../src/core/request/role.ts';
import { type Call, route } from '../src/http.ts';

/** `POST /api/role`: declares which hub is in use. Backups follow it. */
route('setRole', 'POST', 'role', declare, { body: true });

async function declare({ app, body, askedBy }: Call) {
  return { jsonBody: await declareRole(app, parseRoleRequest(body), askedBy) };
}
