/** The hub emulator, wherever it runs: where its hubs are, and its admin endpoint. */
export interface EmulatorHandle extends AsyncDisposable {
  readonly adminUrl: string;
  /** Settings of an app that reads the hubs' keys from Resource Manager. */
  readonly arm: Readonly<Record<string, string>>;
  /** In PEM, where the hubs speak TLS: for those that are to trust it. */
  readonly certificate?: string | undefined;
  readonly namespaces: Readonly<Record<string, { readonly url: string; readonly connectionString: string }>>;
  /** Calls the admin endpoint and gives its JSON answer. Throws with the answer's text when it is refused. */
  admin(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown>;
  /** The lines of an NDJSON answer, each parsed. */
  adminLines(path: string): AsyncIterable<unknown>;
  close(): Promise<void>;
}

type Running = Pick<EmulatorHandle, 'adminUrl' | 'arm' | 'certificate' | 'namespaces' | 'close'>;

export function handleOf({ adminUrl, arm, certificate, namespaces, close }: Running): EmulatorHandle {
  const call = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const response = await fetch(`${adminUrl}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(method === 'POST' ? { body: JSON.stringify(body ?? {}) } : {}),
    });
    if (!response.ok)
      throw new Error(`The emulator refused ${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  return {
    adminUrl,
    arm,
    certificate,
    namespaces,
    admin: async (method, path, body) => parseAnswer(await (await call(method, path, body)).text()),
    async *adminLines(path) {
      yield* parseLines(await call('GET', path));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function parseAnswer(text: string): unknown {
  return text === '' ? undefined : JSON.parse(text);
}

async function* parseLines(response: Response): AsyncIterable<unknown> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response.body ?? []) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield JSON.parse(line);
  }
  if (rest !== '') yield JSON.parse(rest);
}
