import { readRoleView } from '../src/app/runs/declare-role.ts';
import { revalidated, route } from '../src/http.ts';

/** `GET /api/role`: which hub is in use, since when, who declared it. Backends ask this; any function key will do. */
route('getRole', 'GET', 'role', async ({ app, request }) => revalidated(request, await readRoleView(app)));
