import { z } from 'zod';

const share = z.number().min(0).max(1);
/** Up to a day: longer delays do not fit a timer. */
const delay = z.number().min(0).max(86_400_000);

/** Every behaviour of a hub that the evidence leaves open, or that a test wants otherwise; see README.md. */
export const switchesSchema = z.strictObject({
  /** Shape of the answers: the service up to 2022, or that of April 2024. */
  generation: z.literal([2022, 2024]),
  /** Default and ceiling of `$top`. */
  pageSizeLimit: z.int().min(1).max(10_000),
  /** Platform and id as recorded; id; first written; last written; ETag; or an order drawn from the hub's name. */
  listOrder: z.literal(['platform', 'id', 'inserted', 'updated', 'etag', 'shuffled']),
  /** true: the token is an offset, as recorded, so rows are skipped or repeated when others vanish or appear. false: it names the last row. */
  listOffsetTokens: z.boolean(),
  /** Share of pages with fewer rows than asked for, though more follow. */
  shortPageShare: share,
  /** Share of pages without a row, with a token for the same place; a list must have an end. */
  emptyPageShare: share.max(0.9),
  /** true: the last page with rows, or a first page without any, has a token too; the page behind it is empty and has none. */
  tokenOnLastPage: z.boolean(),
  /** Lists and tag queries show a write this much later; reads by id or handle at once. */
  registrationReadLagMs: delay,
  /** For this time after an update, lists show the old row beside the new one. */
  oldRowListedMs: delay,
  /** false: a PUT with an id this hub never gave out is answered 410. */
  acceptForeignIds: z.boolean(),
  /** false: `If-Match` is not looked at. */
  honourIfMatch: z.boolean(),
  /** Answer to `If-Match` on a registration that does not exist. */
  absentMatchStatus: z.literal([404, 412]),
  /** false: a registration PUT that changes nothing keeps the ETag; it renews the expiry all the same. */
  unchangedPutRaisesEtag: z.boolean(),
  /** true: an installation write that changes nothing raises the ETags of its rows and renews an expiry the hub gives. */
  unchangedInstallationRaisesEtag: z.boolean(),
  /** false: a registration deleted and created again under its id continues with its old ETag. */
  etagRestarts: z.boolean(),
  /** Expiry of what is written without one, from then on. 0 = never. */
  timeToLiveMs: z.number().min(0),
  /** An expired row is deleted this long after; null = not before it is purged. */
  expiredStayMs: z.number().min(0).nullable(),
  /** Tags a registration or an installation may have; above it 400. 0 = no limit. */
  tagLimit: z.int().min(0),
  /** Bytes that the tags of a registration or an installation may have together; above it 400. 0 = no limit. */
  tagBytesLimit: z.int().min(0),
  /** What of a write is not stored as sent: tags dropped, all or the last; expiry never, or a day early. */
  storesOtherwise: z.array(z.literal(['no-tags', 'fewer-tags', 'no-expiry', 'earlier-expiry'])),
  /** Share of the writes that `storesOtherwise` is about. */
  storesOtherwiseShare: share,
  /** true: a Windows installation's channel is kept as a URI, so that one without a path is shown with a slash. */
  uriChannels: z.boolean(),
  /** true: a secondary tile shows as a native row, too. */
  nativeTileRows: z.boolean(),
  /** The form of a browser installation's push channel that is taken; any other is 400. */
  browserChannel: z.literal(['any', 'object', 'text']),
  /** The newest API version that the hub takes, as one made long ago; a call with a later one is 400. */
  newestApiVersion: z
    .string()
    .regex(/^\d{4}-\d{2}$/)
    .nullable(),
  /** Share of rows that lists show as of a kind no client knows. */
  unknownKindShare: share,
  /** Ids of rows that lists trip over. */
  trippingIds: z.array(z.string()),
  /** What a list with one of them is: 500, a page that breaks off, or one that has something else in the row's place. */
  tripsBy: z.literal(['error', 'broken-page', 'odd-entry']),
  /** Share of devices that are gone: a send removes the rows that it meets of them, and delivers nothing. */
  deadHandleShare: share,
  /** false: the service keeps the rows of a handle that a push service calls dead. */
  deadRowsGo: z.boolean(),
  /** Where feedback is written, with a SAS; null: its address is given, and nothing is there. */
  feedbackContainer: z.url().nullable(),
  /** Likewise for the errors of each send; null: sends tell no errors. */
  sendErrorsContainer: z.url().nullable(),
  /** Of the bytes. The declaration says utf-16 in any case, as documented. */
  feedbackEncoding: z.literal(['utf-8', 'utf-16']),
  /** false, as in the documentation's example: feedback names no registration and no installation. */
  feedbackIds: z.boolean(),
  /** true: the native row of an installation stays when that is deleted. */
  deleteLeavesRow: z.boolean(),
  /** true: 400 for a write of another content type, namespace, or with an expiry where there is to be none. */
  strictBodies: z.boolean(),
  /** Answer to a call for which the key has not the right; 401 says so in the body where it is Manage. */
  missingRightStatus: z.literal([401, 403]),
  /** 'accept': elements of a registration may stand in any order. 'ignore': one that comes too late is dropped. */
  outOfOrderElements: z.literal(['accept', 'ignore']),
  /** What becomes of an element outside the contract. 'keep' stores and lists it. */
  unknownElements: z.literal(['reject', 'ignore', 'keep']),
  /** An installation write is accepted at once and takes effect after this time. */
  installationDelayMs: delay,
  /** Up to this much later than that, drawn for each write. */
  installationDelaySpreadMs: delay,
  /** Order among the waiting writes of one installation; 'drawn': as their delays are; 'reversed': the latest first. */
  installationOrder: z.literal(['kept', 'drawn', 'reversed']),
  /** Delays and lags pass this many times faster than they are stated. */
  delaySpeed: z.number().min(1),
  /** An installation PUT equal to the last one takes no effect, even when its registrations or itself were deleted since. */
  noOpPutTrap: z.boolean(),
  /** false: a device gets one push for every row of it that a send matches. */
  deduplicateDeliveries: z.boolean(),
  /** 'silent': a 403 for the quota has an empty body. */
  quotaAnswer: z.literal(['named', 'silent']),
  /** 'applied': an installation write above the quota is accepted, and dropped when it would take effect. */
  quotaMet: z.literal(['accepted', 'applied']),
  /** Answer 403 to a write that brings the namespace above its tier's devices. */
  enforceDeviceQuota: z.boolean(),
  /** Calls of the data plane a hub carries out, as a token bucket; beyond it 429. 0 = no limit. */
  requestsPerSecond: z.number().min(0),
  /** Calls taken at once after a pause. */
  burst: z.int().min(1),
  /** true: a 429 of the rate limit has no `Retry-After`. */
  throttleSilently: z.boolean(),
  /** Until a job runs, and from then until it has done its work. */
  jobStartDelayMs: delay,
  jobDurationMs: delay,
  /** 'stuck': runs until it is released. 'fails'. 'does-nothing': completed, with empty files, and nothing done. */
  jobOutcome: z.literal(['completes', 'stuck', 'fails', 'does-nothing']),
  /** Of a completed job; a fixture of the vendor's shows 99.99. */
  jobLastProgress: z.number().min(0).max(100),
  /** false, as recorded: a new job is shown without status and progress. */
  jobStatusAtFirst: z.boolean(),
  /** Where the output is below its container: `ns//hub/id`, `ns/hub/id`, or the first without a word of it. */
  jobPaths: z.literal(['two-slashes', 'one-slash', 'not-stated']),
  /** XML prefix of the output's properties; the official SDK reads only the default. */
  jobPropertyPrefix: z.string().regex(/^[a-z]\w*$/i),
  /** A SAS made without an account key fails the job. */
  userDelegationSas: z.literal(['accept', 'refuse']),
  /** Registrations in the base form, in their own, or now so and now so. */
  exportRoot: z.literal(['base', 'own', 'mixed']),
  exportLineEnd: z.literal(['lf', 'crlf', 'none']),
  exportByteOrderMark: z.boolean(),
  /** Template bodies in CDATA with their line ends, or as text on one line. */
  exportBodies: z.literal(['cdata', 'text']),
  /** false: the rows of installations are left out. */
  exportInstallations: z.boolean(),
  /** Share of rows that are left out without a word. */
  exportLossShare: share,
  /** The file ends in the middle of a registration. */
  exportCutShort: z.boolean(),
  /** One registration a line, or one after another. */
  importReads: z.literal(['lines', 'documents']),
  /** As reported since 2024: such lines are `BadRequest,Bad Format`. */
  importRefusesExpiry: z.boolean(),
  /** Likewise; false: tags that start with `$` are dropped. */
  importRefusesReservedTags: z.boolean(),
  /** What a creating import makes of an id in a line. */
  importIds: z.literal(['replaced', 'kept', 'refused']),
  /** Reads its file as soon as it runs: taking that away later stops nothing. */
  importReadsFirst: z.boolean(),
  /** Share of lines that it says to have carried out, and has not. */
  importLossShare: share,
  /** What it says of its lines ends in the middle. */
  importCutShort: z.boolean(),
});

export type HubSwitches = Readonly<z.infer<typeof switchesSchema>>;

export const defaultSwitches: HubSwitches = Object.freeze({
  generation: 2022,
  pageSizeLimit: 100,
  listOrder: 'platform',
  listOffsetTokens: true,
  shortPageShare: 0,
  emptyPageShare: 0,
  tokenOnLastPage: false,
  registrationReadLagMs: 0,
  oldRowListedMs: 0,
  acceptForeignIds: true,
  honourIfMatch: true,
  absentMatchStatus: 404,
  unchangedPutRaisesEtag: true,
  unchangedInstallationRaisesEtag: false,
  etagRestarts: true,
  timeToLiveMs: 0,
  expiredStayMs: null,
  tagLimit: 0,
  tagBytesLimit: 8000,
  storesOtherwise: [],
  storesOtherwiseShare: 1,
  uriChannels: true,
  nativeTileRows: false,
  browserChannel: 'any',
  newestApiVersion: null,
  unknownKindShare: 0,
  trippingIds: [],
  tripsBy: 'error',
  deadHandleShare: 0,
  deadRowsGo: true,
  feedbackContainer: null,
  sendErrorsContainer: null,
  feedbackEncoding: 'utf-8',
  feedbackIds: false,
  deleteLeavesRow: false,
  strictBodies: false,
  missingRightStatus: 403,
  outOfOrderElements: 'accept',
  unknownElements: 'reject',
  installationDelayMs: 0,
  installationDelaySpreadMs: 0,
  installationOrder: 'kept',
  delaySpeed: 1,
  noOpPutTrap: false,
  deduplicateDeliveries: false,
  quotaAnswer: 'named',
  quotaMet: 'accepted',
  enforceDeviceQuota: true,
  requestsPerSecond: 0,
  burst: 10,
  throttleSilently: false,
  jobStartDelayMs: 0,
  jobDurationMs: 0,
  jobOutcome: 'completes',
  jobLastProgress: 99.99,
  jobStatusAtFirst: false,
  jobPaths: 'two-slashes',
  jobPropertyPrefix: 'd3p1',
  userDelegationSas: 'accept',
  exportRoot: 'base',
  exportLineEnd: 'lf',
  exportByteOrderMark: false,
  exportBodies: 'cdata',
  exportInstallations: true,
  exportLossShare: 0,
  exportCutShort: false,
  importReads: 'lines',
  importRefusesExpiry: true,
  importRefusesReservedTags: true,
  importIds: 'replaced',
  importReadsFirst: false,
  importLossShare: 0,
  importCutShort: false,
});
