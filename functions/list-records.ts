import { readRecords } from '../src/app/restore/records.ts';
import { pageQuery } from '../src/core/request/sent.ts';
import { recordKindSchema } from '../src/core/restore/outcomes.ts';
import { type Call, nextLinkOf, route } from '../src/http.ts';

const recordsQuery = pageQuery.extend({ outcome: recordKindSchema });

/** `GET /api/restores/{id}/records?outcome=`: the records of which a restore made that. */
route('listRecords', 'GET', 'restores/{id}/records', list, { query: recordsQuery });

async function list({ app, request, id }: Call) {
  const { query } = request;
  const { outcome, from } = recordsQuery.parse({ outcome: query.get('outcome'), from: query.get('from') ?? undefined });
  const { value, next, note } = await readRecords(app, id, outcome, from);
  const nextLink = next === undefined ? undefined : nextLinkOf(request, { outcome, from: next });
  return { jsonBody: { value, nextLink, note } };
}
