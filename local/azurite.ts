import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { compileCache } from './compile-cache.ts';

export interface Azurite extends AsyncDisposable {
  /** Of the well-known account `devstoreaccount1`, blobs and queues. */
  readonly connectionString: string;
  readonly blobUrl: string;
  readonly queueUrl: string;
  readonly pid: number;
  close(): Promise<void>;
}

/**
 * Starts azurite (blobs, queues, tables) on free ports of 127.0.0.1 as a child process. Without `dataDir` it keeps all
 * in memory. Rejects with its output when it does not start.
 */
export async function startAzurite(options: { readonly dataDir?: string } = {}): Promise<Azurite> {
  const require = createRequire(import.meta.url);
  const bin = require.resolve('azurite/dist/src/azurite.js');
  const storage = options.dataDir === undefined ? ['--inMemoryPersistence'] : ['--location', options.dataDir];
  const child = spawn(process.execPath, ['--import', preload, bin, ...fixedArguments, ...storage], {
    env: { ...process.env, ...compileCache },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // A program that ends without closing it must not leave it running.
  const killAtExit = () => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  child.once('exit', () => process.off('exit', killAtExit));
  const { blob, queue } = await listening(child);
  const blobUrl = `${blob}/${account}`;
  const queueUrl = `${queue}/${account}`;
  const close = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    // In memory there is nothing to save, and a polite stop waits for idle connections.
    child.kill(options.dataDir === undefined ? 'SIGKILL' : 'SIGTERM');
    await exited;
  };
  return {
    connectionString:
      `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${accountKey};` +
      `BlobEndpoint=${blobUrl};QueueEndpoint=${queueUrl};`,
    blobUrl,
    queueUrl,
    pid: child.pid ?? 0,
    close,
    [Symbol.asyncDispose]: close,
  };
}

// Public, the same in every storage emulator: "Use the Azurite emulator for local Azure Storage development".
const account = 'devstoreaccount1';
const accountKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

const fixedArguments = [
  ...['--blobPort', '0', '--queuePort', '0', '--tablePort', '0'],
  ...['--silent', '--skipApiVersionCheck', '--disableTelemetry'],
];

/**
 * Azurite loads the 2,800 files of its telemetry even when that is disabled, which is most of the time it takes to start.
 * It is mostly ended by SIGKILL, so the compile cache has to be written before.
 */
const preload = `data:text/javascript,${encodeURIComponent(`
  import { flushCompileCache, registerHooks } from 'node:module';
  const empty = { url: 'empty:telemetry', format: 'commonjs', source: '', shortCircuit: true };
  registerHooks({
    resolve: (name, context, next) => (name === 'applicationinsights' ? empty : next(name, context)),
    load: (url, context, next) => (url === empty.url ? empty : next(url, context)),
  });
  setTimeout(flushCompileCache, 2000).unref();
`)}`;

async function listening(child: ChildProcess): Promise<{ readonly blob: string; readonly queue: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly blob: string; readonly queue: string }>();
  let output = '';
  const read = (text: string) => {
    output = (output + text).slice(-10_000);
    const urlOf = (service: string) =>
      new RegExp(`${service} service is successfully listening at (\\S+)`).exec(output)?.[1];
    const [blob, queue] = [urlOf('Blob'), urlOf('Queue')];
    if (blob !== undefined && queue !== undefined && urlOf('Table') !== undefined) resolve({ blob, queue });
  };
  child.stdout?.setEncoding('utf8').on('data', read);
  child.stderr?.setEncoding('utf8').on('data', read);
  child.once('error', reject);
  child.once('exit', (code) => reject(new Error(`Azurite did not start (exit code ${code}):\n${output}`)));
  return promise;
}
