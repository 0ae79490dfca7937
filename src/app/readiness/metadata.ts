import { fullNameOf } from '../../core/paths.ts';
import type { Hub } from '../../core/ports.ts';
import { compareMetadata, type HubMetadata } from '../../core/readiness/metadata.ts';
import { type App, toInstant } from '../app.ts';

/** Settings of a hub change seldom; what could not be read is asked for again sooner. */
const FRESH_MS = 10 * 60_000;
const FRESH_FAULT_MS = 60_000;

/** What Resource Manager says of a hub; `undefined` where the settings have no resource id of it. */
export function findMetadata(app: App, hub: Hub): Promise<HubMetadata | undefined> {
  const { memory, world } = app;
  const known = memory.metadata.get(hub);
  if (known !== undefined && world.now() < known.freshUntilMs) return known.answer;
  const atMs = world.now();
  const answer = app.hubMetadata(hub.ref);
  const entry = { freshUntilMs: atMs + FRESH_FAULT_MS, answer };
  memory.metadata.set(hub, entry);
  return answer.then((metadata) => {
    if (metadata === undefined || metadata.location !== undefined) entry.freshUntilMs = atMs + FRESH_MS;
    return metadata;
  });
}

/** Every setting in which the two hubs differ, without a secret, and what could not be compared. */
export async function compareHubs(app: App) {
  const { primary, secondary } = app;
  app.memory.metadata.clear();
  const [ofPrimary, ofSecondary] = await Promise.all([findMetadata(app, primary), findMetadata(app, secondary)]);
  const differences =
    ofPrimary === undefined || ofSecondary === undefined ? [] : compareMetadata(ofPrimary, ofSecondary);
  return {
    comparedAt: toInstant(app.world.storageNow()),
    primary: { ...primary.ref, ...shownOf(ofPrimary) },
    secondary: { ...secondary.ref, ...shownOf(ofSecondary) },
    differences,
    unknown: [...unknownOf(primary, ofPrimary, 'PRIMARY'), ...unknownOf(secondary, ofSecondary, 'SECONDARY')],
  };
}

/** What is worth seeing also where both hubs have the same. */
export function shownOf(metadata: HubMetadata | undefined) {
  if (metadata === undefined) return {};
  const { location, tier, replicationRegion, zoneRedundancy, pushCredentials } = metadata;
  return { location, tier, replicationRegion, zoneRedundancy, pushCredentials: pushCredentials ?? 'unknown' };
}

function unknownOf(hub: Hub, metadata: HubMetadata | undefined, setting: 'PRIMARY' | 'SECONDARY') {
  const reasons = metadata?.faults ?? [`${setting}_HUB_RESOURCE_ID is not set.`];
  return reasons.map((reason) => ({ hub: fullNameOf(hub.ref), reason }));
}
