import { app } from '@azure/functions';
import { reportRestore } from '../src/app/restore/report.ts';
import { renderReport } from '../src/core/restore/report.ts';
import { answer } from '../src/http.ts';

/** `GET /api/restores/{id}/report`: one page of Markdown, or the same facts as JSON. */
app.http('getReport', {
  methods: ['GET'],
  route: 'restores/{id}/report',
  authLevel: 'function',
  handler: (request, context) =>
    answer(context, async (dr) => {
      const facts = await reportRestore(dr, request.params['id'] ?? '');
      const wanted = request.query.get('format') ?? request.headers.get('accept') ?? '';
      if (wanted.includes('json')) return { jsonBody: facts };
      return { headers: { 'content-type': 'text/markdown; charset=utf-8' }, body: renderReport(facts) };
    }),
});
