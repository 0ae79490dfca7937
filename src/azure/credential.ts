import type { TokenCredential } from '@azure/identity';
import { DrError } from '../core/errors.ts';
import type { StorageConnection, StorageLimits } from './connection.ts';
import { createTokens } from './tokens.ts';

/** How the SDK's clients of a container and of a queue are made. */
interface ClientClass<Client> {
  new (connectionString: string, name: string, options: ClientOptions): Client;
  new (url: string, credential: TokenCredential, options: ClientOptions): Client;
}

interface ClientOptions {
  readonly retryOptions: StorageLimits['retry'];
}

/** A client of one container or queue, with the connection's own way to be let in. */
export function openClient<Client>(
  ClientOf: ClientClass<Client>,
  connection: StorageConnection,
  service: 'blob' | 'queue',
  name: string,
  { retry: retryOptions }: StorageLimits,
): Client {
  if (connection.kind === 'identity') {
    const serviceUri = service === 'blob' ? connection.blobServiceUri : connection.queueServiceUri;
    const url = `${serviceUri.replace(/\/+$/, '')}/${name}`;
    return new ClientOf(url, credentialOf(connection.clientId), { retryOptions });
  }
  try {
    return new ClientOf(connection.value, name, { retryOptions });
  } catch {
    // Not kept as cause: its message may quote the connection string.
    const message = 'SNAPSHOT_STORAGE is not a storage connection string: set the one of the account.';
    throw new DrError('SettingsInvalid', message, { target: 'SNAPSHOT_STORAGE' });
  }
}

/**
 * The token is kept here alone. The storage package is shown one that has already ended: it would otherwise renew it
 * beside the calls, where no caller catches a refusal, which ends the process.
 */
export function credentialOf(clientId: string | undefined): TokenCredential {
  const tokens = createTokens({ clientId });
  return {
    getToken: async (scopes) => {
      const [scope = ''] = [scopes].flat();
      return { token: await tokens.get(scope), expiresOnTimestamp: 0 };
    },
  };
}
