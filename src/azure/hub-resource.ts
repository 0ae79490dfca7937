/** A hub as Azure Resource Manager names it. */
export interface HubResource {
  readonly namespace: string;
  readonly hub: string;
  /** Of the namespace; ids begin with a slash and end without one. */
  readonly namespaceId: string;
  readonly hubId: string;
  /** Of the access policy whose keys are used. */
  readonly policyId: string;
}

export const hubResourceForm =
  '/subscriptions/…/resourceGroups/…/providers/Microsoft.NotificationHubs/namespaces/…/notificationHubs/…';

/** The policy with all rights that each new hub has. */
const USUAL_POLICY = 'DefaultFullSharedAccessSignature';

const pattern =
  /^(?<namespaceId>\/subscriptions\/[\w-]+\/resourceGroups\/[\w.()-]+\/providers\/Microsoft\.NotificationHubs\/namespaces\/(?<namespace>[a-z][a-z0-9-]{0,49}))\/notificationHubs\/(?<hub>[a-z0-9][\w.-]{0,259})(?:\/authorizationRules\/(?<policy>[\w.-]+))?\/?$/i;

/** Ids compare without regard to case. `undefined` for a text that names no hub. */
export function parseHubResource(text: string): HubResource | undefined {
  const { namespaceId, namespace, hub, policy = USUAL_POLICY } = pattern.exec(text)?.groups ?? {};
  if (namespaceId === undefined || namespace === undefined || hub === undefined) return undefined;
  const hubId = `${namespaceId}/notificationHubs/${hub}`;
  return { namespace, hub, namespaceId, hubId, policyId: `${hubId}/authorizationRules/${policy}` };
}
