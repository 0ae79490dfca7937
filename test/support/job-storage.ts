import {
  BlobSASPermissions,
  BlobServiceClient,
  type ContainerClient,
  ContainerSASPermissions,
} from '@azure/storage-blob';
import type { StorageAccount } from '../../local/azurite.ts';
import { openStorageAccount } from './storage-account.ts';

let account: StorageAccount | undefined;
let openedCount = 0;

/** A container in an account of the test's own, for jobs to write to and read from. */
export async function openJobStorage() {
  account ??= openStorageAccount();
  openedCount += 1;
  const service = BlobServiceClient.fromConnectionString(account.connectionString);
  const container: ContainerClient = service.getContainerClient(`jobs${openedCount}`);
  await container.create();
  const later = () => new Date(Date.now() + 3_600_000);
  return {
    container,
    /** The container's address with a SAS. */
    output: (rights = 'rwl', expiresOn = later()) =>
      container.generateSasUrl({ permissions: ContainerSASPermissions.parse(rights), expiresOn }),
    /** Stores a file; gives its address with a SAS. */
    async input(text: string): Promise<string> {
      const blob = container.getBlockBlobClient('input.txt');
      await blob.upload(text, Buffer.byteLength(text));
      return blob.generateSasUrl({ permissions: BlobSASPermissions.parse('r'), expiresOn: later() });
    },
    read: async (name: string) => (await container.getBlockBlobClient(name).downloadToBuffer()).toString(),
  };
}
