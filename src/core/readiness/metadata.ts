import { type Tier, tiers } from './tiers.ts';

/** What Azure Resource Manager says of a hub and its namespace; no secret. A part that is not known is `undefined`. */
export interface HubMetadata {
  readonly location: string | undefined;
  readonly tier: Tier | undefined;
  /** Where the service keeps a copy of the namespace's settings, not of its devices. */
  readonly replicationRegion: string | undefined;
  readonly zoneRedundancy: string | undefined;
  readonly publicNetworkAccess: string | undefined;
  /** `10.0.0.0/8` or `everyone else`, with its rights. */
  readonly ipRules: Rights | undefined;
  /** Access policies: `hub DefaultListenSharedAccessSignature`, or `namespace …`. */
  readonly policies: Rights | undefined;
  readonly registrationTtl: string | undefined;
  /** Platforms with a push credential, as rows name them. */
  readonly pushCredentials: readonly string[] | undefined;
  /** Devices of the namespace's other hubs, the most of the day. */
  readonly devicesOfOthers: number | undefined;
  /** Why parts are not known, each a sentence. */
  readonly faults: readonly string[];
}

/** By name, such as `Listen, Manage, Send`. */
export type Rights = Readonly<Record<string, string>>;

export interface Difference {
  /** Stable: `tier`, `pushCredential Apple`, `policy hub reader`, `ipRule 10.0.0.0/8`. */
  readonly what: string;
  readonly primary: string;
  readonly secondary: string;
}

const NONE = 'none';

/** In the order in which they matter on the night; parts that one of the hubs does not tell are left out. */
export function compareMetadata(primary: HubMetadata, secondary: HubMetadata): readonly Difference[] {
  const texts = [
    ...pairsOf('pushCredential', presentIn(primary.pushCredentials), presentIn(secondary.pushCredentials)),
    { what: 'tier', primary: primary.tier, secondary: secondary.tier },
    ...pairsOf('policy', primary.policies, secondary.policies),
    ...pairsOf('ipRule', primary.ipRules, secondary.ipRules),
    pairOf('publicNetworkAccess', primary, secondary),
    pairOf('registrationTtl', primary, secondary),
    pairOf('zoneRedundancy', primary, secondary),
  ];
  return texts.flatMap(({ what, primary: one, secondary: other }) =>
    one === undefined || other === undefined || one === other ? [] : [{ what, primary: one, secondary: other }],
  );
}

type TextPart = 'publicNetworkAccess' | 'registrationTtl' | 'zoneRedundancy';

function pairOf(what: TextPart, primary: HubMetadata, secondary: HubMetadata) {
  return { what, primary: primary[what], secondary: secondary[what] };
}

function pairsOf(what: string, primary: Rights | undefined, secondary: Rights | undefined) {
  if (primary === undefined || secondary === undefined) return [];
  const names = [...new Set([...Object.keys(primary), ...Object.keys(secondary)])].sort();
  return names.map((name) => ({
    what: `${what} ${name}`,
    primary: primary[name] ?? NONE,
    secondary: secondary[name] ?? NONE,
  }));
}

function presentIn(platforms: readonly string[] | undefined): Rights | undefined {
  return platforms && Object.fromEntries(platforms.map((platform) => [platform, 'set']));
}

/** Registrations of a snapshot by platform that the hub has no push credential for. */
export function withoutCredential(
  byPlatform: Readonly<Record<string, number>>,
  metadata: HubMetadata | undefined,
): readonly { readonly platform: string; readonly registrations: number }[] {
  const { pushCredentials } = metadata ?? {};
  if (pushCredentials === undefined) return [];
  return Object.entries(byPlatform)
    .filter(([platform, registrations]) => registrations > 0 && !pushCredentials.includes(platform))
    .map(([platform, registrations]) => ({ platform, registrations }));
}

/** `West Europe` and `westeurope` are one region. */
export function isSameRegion(a: string | undefined, b: string | undefined): boolean {
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return a !== undefined && b !== undefined && plain(a) === plain(b);
}

export function tierNamed(name: string | undefined): Tier | undefined {
  return tiers.find((tier) => tier === name);
}
