import { app } from '@azure/functions';
import { cliFileName, readCliFile } from '../src/cli-file.ts';
import { answer } from '../src/http.ts';

/** `GET /api/cli`: the terminal tool as one file. It holds no data, so it needs no key. */
app.http('getCli', {
  methods: ['GET'],
  route: 'cli',
  authLevel: 'anonymous',
  handler: (request, context) =>
    answer(request, context, {}, async () => {
      const { body, contentType, etag } = await readCliFile();
      if (request.headers.get('if-none-match') === etag) return { status: 304, headers: { etag } };
      const headers = {
        'content-type': contentType,
        'content-disposition': `attachment; filename="${cliFileName}"`,
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-cache',
        etag,
      };
      return { body, headers };
    }),
});
