import { ContainerClient } from '@azure/storage-blob';
import { RedundantHub } from 'notification-hubs-dr';

const { PRIMARY, SECONDARY, HUB_NAME, SNAPSHOT_STORAGE } = process.env;
const hub = new RedundantHub({
  primary: { connectionString: PRIMARY, hubName: HUB_NAME },
  secondary: { connectionString: SECONDARY, hubName: HUB_NAME },
  container: new ContainerClient(SNAPSHOT_STORAGE, 'snapshots'),
  onWarning: (message, fields) => console.warn(message, fields),
});

const device = { installationId: 'phone-1', platform: 'apns', pushChannel: 'ab'.repeat(32), tags: ['news'] };
console.log(await hub.createOrUpdateInstallation(device));
console.log(await hub.updateInstallation('phone-1', [{ op: 'add', path: '/tags', value: 'sport' }]));
console.log(await hub.getInstallation('phone-1'));
console.log(await hub.lag());
await hub.close();
