import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from './certificate.ts';
import { compileCache } from './compile-cache.ts';

/** Blobs and queues of one account. */
export interface StorageAccount {
  readonly connectionString: string;
  readonly blobUrl: string;
  readonly queueUrl: string;
}

/** Its own account is the well-known `devstoreaccount1`, or the first of those it was started with. */
export interface Azurite extends StorageAccount, AsyncDisposable {
  readonly pid: number;
  readonly urls: AzuriteUrls;
  close(): Promise<void>;
}

export interface AzuriteUrls {
  readonly blob: string;
  readonly queue: string;
}

export interface AzuriteOptions {
  readonly dataDir?: string;
  readonly accounts?: readonly string[];
  /** It then speaks TLS, and takes tokens. */
  readonly tls?: Certificate;
}

/**
 * Starts azurite (blobs, queues, tables) on free ports of 127.0.0.1 as a child process. Without `dataDir` it keeps all
 * in memory. Rejects with its output when it does not start.
 */
export async function startAzurite(options: AzuriteOptions = {}): Promise<Azurite> {
  const accounts = options.accounts ?? [wellKnown];
  const require = createRequire(import.meta.url);
  const bin = require.resolve('azurite/dist/src/azurite.js');
  const storage = options.dataDir === undefined ? ['--inMemoryPersistence'] : ['--location', options.dataDir];
  const folder = options.tls === undefined ? undefined : await saveCertificate(options.tls);
  const secure = folder === undefined ? [] : ['--oauth', 'basic', ...certificateArguments(folder)];
  const child = spawn(process.execPath, ['--import', preload, bin, ...fixedArguments, ...storage, ...secure], {
    env: {
      ...process.env,
      ...compileCache,
      AZURITE_ACCOUNTS: accounts.map((name) => `${name}:${keyOf(name)}`).join(';'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // A program that ends without closing it must not leave it running.
  const killAtExit = () => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  child.once('exit', () => process.off('exit', killAtExit));
  const urls = await listening(child);
  if (folder !== undefined) await rm(folder, { recursive: true });
  const close = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    // In memory there is nothing to save, and a polite stop waits for idle connections.
    child.kill(options.dataDir === undefined ? 'SIGKILL' : 'SIGTERM');
    await exited;
  };
  return {
    ...accountAt(urls, accounts[0] ?? wellKnown),
    urls,
    pid: child.pid ?? 0,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** One of the accounts of the azurite that listens at these URLs. */
export function accountAt({ blob, queue }: AzuriteUrls, name: string): StorageAccount {
  const [blobUrl, queueUrl] = [`${blob}/${name}`, `${queue}/${name}`];
  const connectionString =
    `DefaultEndpointsProtocol=http;AccountName=${name};AccountKey=${keyOf(name)};` +
    `BlobEndpoint=${blobUrl};QueueEndpoint=${queueUrl};`;
  return { connectionString, blobUrl, queueUrl };
}

// Public, the same in every storage emulator: "Use the Azurite emulator for local Azure Storage development".
const wellKnown = 'devstoreaccount1';
const accountKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** All of them go through one environment variable, which holds 128 KB: others have a short key. */
function keyOf(account: string): string {
  return account === wellKnown ? accountKey : Buffer.from(account.padEnd(24, '.')).toString('base64');
}

async function saveCertificate({ cert, key }: Certificate): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'azurite-'));
  await writeFile(join(folder, 'cert.pem'), cert);
  await writeFile(join(folder, 'key.pem'), key);
  return folder;
}

function certificateArguments(folder: string): string[] {
  return ['--cert', join(folder, 'cert.pem'), '--key', join(folder, 'key.pem')];
}

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

async function listening(child: ChildProcess): Promise<AzuriteUrls> {
  const { promise, resolve, reject } = Promise.withResolvers<AzuriteUrls>();
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
