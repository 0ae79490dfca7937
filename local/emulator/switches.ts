import { z } from 'zod';

/** Every behaviour of a hub that the evidence leaves open, or that a test wants otherwise; see README.md. */
export const switchesSchema = z.strictObject({
  /** Shape of the answers: the service up to 2022, or that of April 2024. */
  generation: z.literal([2022, 2024]),
  /** Default and ceiling of `$top`. */
  pageSizeLimit: z.int().min(1).max(10_000),
  /** true: the token is an offset, as recorded, so rows are skipped or repeated when others vanish or appear. false: it names the last row. */
  listOffsetTokens: z.boolean(),
  /** Lists and tag queries show a write this much later; reads by id or handle at once. */
  registrationReadLagMs: z.number().min(0),
  /** false: a PUT with an id this hub never gave out is answered 410. */
  acceptForeignIds: z.boolean(),
  /** 'accept': elements of a registration may stand in any order. 'ignore': one that comes too late is dropped. */
  outOfOrderElements: z.literal(['accept', 'ignore']),
  /** What becomes of an element outside the contract. 'keep' stores and lists it. */
  unknownElements: z.literal(['reject', 'ignore', 'keep']),
  /** An installation write is accepted at once and takes effect after this time, in order. */
  installationDelayMs: z.number().min(0),
  /** An installation PUT equal to the last one takes no effect, even when its registrations or itself were deleted since. */
  noOpPutTrap: z.boolean(),
  /** false: a device gets one push for every row of it that a send matches. */
  deduplicateDeliveries: z.boolean(),
  /** Answer 403 to a write that brings the namespace above its tier's devices. */
  enforceDeviceQuota: z.boolean(),
  /** Calls of the data plane a hub carries out, as a token bucket; beyond it 429. 0 = no limit. */
  requestsPerSecond: z.number().min(0),
  /** Calls taken at once after a pause. */
  burst: z.int().min(1),
  /** true: a 429 of the rate limit has no `Retry-After`. */
  throttleSilently: z.boolean(),
});

export type HubSwitches = Readonly<z.infer<typeof switchesSchema>>;

export const defaultSwitches: HubSwitches = Object.freeze({
  generation: 2022,
  pageSizeLimit: 100,
  listOffsetTokens: true,
  registrationReadLagMs: 0,
  acceptForeignIds: true,
  outOfOrderElements: 'accept',
  unknownElements: 'reject',
  installationDelayMs: 0,
  noOpPutTrap: false,
  deduplicateDeliveries: false,
  enforceDeviceQuota: true,
  requestsPerSecond: 0,
  burst: 10,
  throttleSilently: false,
});
