import { readRecords } from '../src/app/restore/records.ts';
import { DrError } from '../src/core/errors.ts';
import { pageQuery } from '../src/core/request/sent.ts';
import { recordKindSchema, recordKinds } from '../src/core/restore/plan/outcomes.ts';
import { type Call, nextLinkOf, route } from '../src/http.ts';

const recordsQuery = pageQuery.extend({ outcome: recordKindSchema.optional() });

/** `GET /api/restores/{id}/records?outcome=`: the records of which a restore made that. */
route('listRecords', 'GET', 'restores/{id}/records', list, { query: recordsQuery });

async function list({ app, request, id }: Call) {
  const outcome = recordKindSchema.safeParse(request.query.get('outcome')).data;
  if (outcome === undefined) {
    const message = `Say which records: ?outcome=, one of ${recordKinds.join(', ')}.`;
    throw new DrError('BadRequest', message, { target: 'outcome' });
  }
  const { value, next, note } = await readRecords(app, id, outcome, request.query.get('from') ?? undefined);
  const nextLink = next === undefined ? undefined : nextLinkOf(request, { outcome, from: next });
  return { jsonBody: { value, nextLink, note } };
}
