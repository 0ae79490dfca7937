import { reportRestore } from '../src/app/restore/report.ts';
import { reportQuery } from '../src/core/request/sent.ts';
import { renderReport } from '../src/core/restore/report.ts';
import { type Call, route } from '../src/http.ts';

/** `GET /api/restores/{id}/report`: one page of Markdown, or the same facts as JSON. */
route('getReport', 'GET', 'restores/{id}/report', report, { query: reportQuery });

async function report({ app, request, id }: Call) {
  const facts = await reportRestore(app, id);
  const wanted = request.query.get('format') ?? request.headers.get('accept') ?? '';
  if (wanted.includes('json')) return { jsonBody: facts };
  return { headers: { 'content-type': 'text/markdown; charset=utf-8' }, body: renderReport(facts) };
}
