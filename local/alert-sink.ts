import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { listen } from './emulator/namespace-server.ts';

export interface AlertSink extends AsyncDisposable {
  /** For `ALERT_WEBHOOK_URL`. */
  readonly url: string;
}

const alertSchema = z.object({ text: z.string() });

/** Takes the app's alerts on 127.0.0.1, as a channel of Slack or Teams does, and shows the line that these would show. */
export async function startAlertSink(show: (line: string) => void): Promise<AlertSink> {
  const server = createServer(async (request, response) => {
    const line = await readLine(request);
    if (line !== undefined) show(`Alert: ${line}\n`);
    response.writeHead(line === undefined ? 400 : 200).end();
  });
  const port = await listen(server, 0);
  return {
    url: `http://127.0.0.1:${port}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** `undefined` of what is no alert. */
async function readLine(request: IncomingMessage): Promise<string | undefined> {
  try {
    return alertSchema.safeParse(JSON.parse(await text(request))).data?.text;
  } catch {
    return undefined; // Cut short, or no JSON: the status says so to the sender.
  }
}
