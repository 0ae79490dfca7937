import type { TokenCredential } from '@azure/identity';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';

/** Opens the queues of a trigger's or binding's `connection`; throws when its settings are missing or malformed. */
export function openQueues(connection: string, env: NodeJS.ProcessEnv): Promise<QueueServiceClient> {
  return open(connection, 'queue', env, {
    fromConnectionString: (text) => QueueServiceClient.fromConnectionString(text, clientOptions),
    fromUrl: (url, credential) => new QueueServiceClient(url, credential, clientOptions),
  });
}

/** Opens the blobs of a `connection`, like {@link openQueues}. */
export function openBlobs(connection: string, env: NodeJS.ProcessEnv): Promise<BlobServiceClient> {
  return open(connection, 'blob', env, {
    fromConnectionString: (text) => BlobServiceClient.fromConnectionString(text, clientOptions),
    fromUrl: (url, credential) => new BlobServiceClient(url, credential, clientOptions),
  });
}

/** Whether any setting for `connection` exists. */
export function hasConnection(connection: string, env: NodeJS.ProcessEnv): boolean {
  return Object.keys(env).some((name) =>
    settingNames(connection).some((prefix) => name === prefix || name.startsWith(`${prefix}__`)),
  );
}

// The listeners poll: what fails now is tried again soon by them, so the SDK's long back-off would only hide it.
const clientOptions = { retryOptions: { maxTries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 } };

/** The Functions convention: the name itself or `AzureWebJobs` before it; no name means `AzureWebJobsStorage`. */
function settingNames(connection: string): string[] {
  return connection === '' ? ['AzureWebJobsStorage'] : [connection, `AzureWebJobs${connection}`];
}

async function open<Client>(
  connection: string,
  service: 'blob' | 'queue',
  env: NodeJS.ProcessEnv,
  make: {
    readonly fromConnectionString: (text: string) => Client;
    readonly fromUrl: (url: string, credential: TokenCredential) => Client;
  },
): Promise<Client> {
  const names = settingNames(connection);
  for (const name of names) {
    const text = env[name];
    if (text !== undefined && text !== '') return parseConnection(name, text, make.fromConnectionString);
    const account = env[`${name}__accountName`];
    const url =
      env[`${name}__${service}ServiceUri`] ??
      env[`${name}__serviceUri`] ??
      (account === undefined ? undefined : `https://${account}.${service}.core.windows.net`);
    if (url !== undefined) return make.fromUrl(url, await identity(env[`${name}__clientId`]));
  }
  throw new Error(`Storage connection "${names[0]}" has no setting "${names.join('" or "')}__${service}ServiceUri".`);
}

function parseConnection<Client>(name: string, text: string, parse: (text: string) => Client): Client {
  try {
    return parse(text);
  } catch {
    // The SDK's error could quote the connection string, which is a secret.
    throw new Error(`Setting "${name}" is not a storage connection string.`);
  }
}

async function identity(managedIdentityClientId: string | undefined): Promise<TokenCredential> {
  const { DefaultAzureCredential } = await import('@azure/identity');
  return new DefaultAzureCredential(managedIdentityClientId === undefined ? {} : { managedIdentityClientId });
}
