import { ContainerClient } from '@azure/storage-blob';
import { RedundantHub } from '../../src/redundant/redundant-hub.ts';

/**
 * A backend's process in the chaos test, which kills it: writes the devices of its arguments again and again, each with the
 * number of the write as a tag, and says which it was answered for.
 */
const { PRIMARY = '', SECONDARY = '', STORAGE = '', CONTAINER = '', DEVICES = '', FROM = '0' } = process.env;
const hub = new RedundantHub({
  primary: { connectionString: PRIMARY, hubName: 'devices' },
  secondary: { connectionString: SECONDARY, hubName: 'devices' },
  container: new ContainerClient(STORAGE, CONTAINER),
});

async function writeOn(installationId: string): Promise<void> {
  for (let number = Number(FROM); ; number += 1) {
    const isDeleted = number % 7 === 6;
    // Said before: a process that is killed may have written it.
    process.stdout.write(`try ${installationId} ${number} ${isDeleted ? 'delete' : 'put'}\n`);
    try {
      const { other } = isDeleted
        ? await hub.deleteInstallation(installationId)
        : await hub.createOrUpdateInstallation({
            installationId,
            platform: 'fcmv1',
            pushChannel: `token-${installationId}`,
            tags: [`v${number}`],
          });
      process.stdout.write(`${other} ${installationId} ${number}\n`);
    } catch (error) {
      const isQueued = typeof error === 'object' && error !== null && 'isQueued' in error && error.isQueued === true;
      process.stdout.write(`${isQueued ? 'refused' : 'failed'} ${installationId} ${number}\n`);
    }
  }
}

await Promise.all(DEVICES.split(',').map(writeOn));
